"""Checks of the family `contrasts`."""
