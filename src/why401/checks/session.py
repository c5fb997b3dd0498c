"""Checks of the family `session`: cookies, logins and what the code does with both."""

from why401.checks import (
    session_code,
    session_cookies,
    session_listing,
    session_logins,
    session_nodes,
    session_origins,
    session_values,
)

__all__ = [
    "session_code",
    "session_cookies",
    "session_listing",
    "session_logins",
    "session_nodes",
    "session_origins",
    "session_values",
]
