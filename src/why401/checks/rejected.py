"""Checks of the family `rejected`."""
