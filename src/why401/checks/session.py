"""Checks of the family `session`."""
