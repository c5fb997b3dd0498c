"""Checks of the family `clients`."""
