"""why401 finds out why a request is refused, proves it and says how to mend it."""

__version__ = "0.1.0"
