"""Groups that are two views of one failure: the caller's and the callee's, by trace or by credential."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, select

from why401.monitor import schema
from why401.monitor.groups import summary

e, g = schema.events, schema.groups
LOOKED_AT = 50  #: newest events of the group, whose traces and credentials are looked for elsewhere


def of_group(connection: Connection, projects: Collection[int], group: int) -> list[dict[str, Any]]:
    """Groups of these projects that share a trace or a credential with the group; `by` says which."""
    rows = connection.execute(
        select(e.c.trace, e.c.credential)
        .where(e.c.group_id == group)
        .order_by(e.c.id.desc())
        .limit(LOOKED_AT)
    ).all()
    found: dict[int, str] = {}
    for name, column in (("credential", e.c.credential), ("trace", e.c.trace)):
        values = {value for row in rows if (value := getattr(row, name))}
        if values:
            query = select(e.c.group_id).distinct().where(
                column.in_(values), e.c.group_id != group, e.c.project_id.in_(projects)
            ).limit(20)  # fmt: skip
            found |= dict.fromkeys(connection.scalars(query), name)
    others = connection.execute(select(g).where(g.c.id.in_(found), g.c.merged_into.is_(None))).mappings()
    return [{**summary(dict(row)), "project": row["project_id"], "by": found[row["id"]]} for row in others]
