"""What the standards say, as pure functions and values: no I/O, nothing else of the project.

Two rules for this room:

1. A parser never raises on bad input. What is wrong becomes a `Problem` with a span, and what could
   be recovered is still returned: a diagnosis needs both halves.
2. Everything is linear in the length of its input, for the input comes from strangers.
"""
