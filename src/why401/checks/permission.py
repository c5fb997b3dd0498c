"""Checks of the family `permission`."""
