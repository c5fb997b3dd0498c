"""Checks of the family `server_config`."""
