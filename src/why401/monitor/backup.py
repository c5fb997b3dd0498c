"""A copy of the whole database while it is in use, by the database's own means.

SQLite: `VACUUM INTO` (https://sqlite.org/lang_vacuum.html), which reads one moment and lets others write. PostgreSQL:
`pg_dump` in its custom form, for `pg_restore`.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from why401.monitor.store import Store, Unusable


def backup(store: Store, to: Path) -> int:
    """Write the copy, look whether it is whole, and name it only then; its size in bytes. Raises Unusable.

    It holds everything, the installation's keys too: only its owner may read it.
    """
    if to.exists():
        raise Unusable(f"{to} is there already; name a new file.")
    part = to.with_name(f"{to.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        (_sqlite if store.lite else _postgresql)(store, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(to)
    except (OSError, sqlite3.Error) as problem:
        raise Unusable(f"{to}: the backup could not be made: {problem}") from None
    finally:
        part.unlink(missing_ok=True)
    return to.stat().st_size


def _sqlite(store: Store, part: Path) -> None:
    held = sqlite3.connect(store.engine.url.database or "")
    try:
        held.execute("VACUUM INTO ?", (str(part),))
    finally:
        held.close()
    copy = sqlite3.connect(part)
    try:
        (said,) = copy.execute("PRAGMA quick_check").fetchone()
    finally:
        copy.close()
    if said != "ok":
        raise Unusable(f"The copy is damaged: {said}")


def _postgresql(store: Store, part: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise Unusable("pg_dump is not installed here; it makes the backups of PostgreSQL.")
    url = store.engine.url.set(drivername="postgresql")
    hidden = {**os.environ, "PGPASSWORD": url.password} if url.password else None
    address = url.set(password=None).render_as_string()
    done = subprocess.run(
        [program, "--format=custom", "--file", part, "--dbname", address],
        env=hidden, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise Unusable(f"pg_dump could not make the backup: {done.stderr.strip()[:500]}")
