"""Property tests measure what is read, not how busy the machine is: no deadline for a single example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("protocol", deadline=None)
settings.load_profile("protocol")
