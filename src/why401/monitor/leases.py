"""What only one node may do at a time: alerts that are sent once, old events that are removed once."""

from __future__ import annotations

import time

from why401.monitor import ids, schema
from why401.monitor.store import Store

NODE = f"{ids.new():x}"  #: this process
l = schema.leases  # noqa: E741


def hold(store: Store, name: str, seconds: float) -> bool:
    """Take or prolong a lease; False where another node has it. It ends by itself where its holder is gone; one that
    ends too far in the future was taken by a clock that was wrong."""
    now = time.time()
    row = {"name": name, "holder": NODE, "until": now + seconds}
    taken = (
        store.insert(l).values(row).on_conflict_do_update(
            index_elements=["name"], set_={"holder": NODE, "until": row["until"]},
            where=(l.c.holder == NODE) | (l.c.until < now) | (l.c.until > now + 2 * seconds),
        ).returning(l.c.holder)
    )  # fmt: skip
    with store.write() as connection:
        return connection.execute(taken).one_or_none() is not None
