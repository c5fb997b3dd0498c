"""Proof, not opinion: change one thing, send again, look.

`changes*` hold the changes, each a tiny function of the request; `plan` orders them by the ranking;
`run` carries them out within the budget and says what follows.
"""
