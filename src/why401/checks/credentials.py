"""Checks of the family `credentials`."""
