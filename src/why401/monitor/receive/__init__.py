"""From a request of a client to events: one module a protocol, and what they share."""
