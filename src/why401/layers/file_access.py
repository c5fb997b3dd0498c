"""May a user read a file? From mode, owner and group alone, without becoming that user (path_resolution(7))."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

_ACL = "system.posix_acl_access"


def readable_by(path: str | Path, uid: int, gids: Collection[int]) -> str | None:
    """The first component of a path that keeps a user from reading it, or None.

    A directory has to be searchable (x), the file itself readable (r), along symbolic links too. Root reads
    everything. A component with an access control list is passed over: the mode does not tell of it. Raises
    FileNotFoundError where there is no such file, and OSError where this process itself may not look.
    """
    if uid == 0:
        return None
    for component, wanted in _components(Path(path)):
        found = os.stat(component)  # noqa: PTH116 - follows links, as opening does
        if not _allowed(found, uid, gids, wanted) and not _has_acl(component):
            return component
    return None


def _components(path: Path) -> Iterator[tuple[str, int]]:
    """Each directory on the way, as written and as it is behind links, and the file itself."""
    written = Path(os.path.abspath(path))  # noqa: PTH100 - Path.resolve would follow links
    real = written.resolve(strict=True)
    seen: set[Path] = set()
    for one in (written, real):
        for parent in reversed(one.parents):
            if parent not in seen:
                seen.add(parent)
                yield str(parent), stat.S_IXOTH
    yield str(written), stat.S_IXOTH | stat.S_IROTH if real.is_dir() else stat.S_IROTH


def _allowed(found: os.stat_result, uid: int, gids: Collection[int], wanted: int) -> bool:
    """Only one class counts: an owner without permission is refused even where all others are allowed."""
    shift = 6 if found.st_uid == uid else 3 if found.st_gid in gids else 0
    return (found.st_mode >> shift) & wanted == wanted


def _has_acl(component: str) -> bool:
    try:
        return _ACL in os.listxattr(component)
    except (OSError, AttributeError):  # a file system or a platform without them
        return False
