"""Checks of the family `token`."""
