"""Checks of the family `ban`."""
