"""Checks of the family `url`."""
