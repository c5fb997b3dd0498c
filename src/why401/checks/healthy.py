"""Checks of the family `healthy`."""
