"""Checks of the family `protocol`."""
