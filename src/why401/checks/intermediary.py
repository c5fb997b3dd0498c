"""Checks of the family `intermediary`."""
