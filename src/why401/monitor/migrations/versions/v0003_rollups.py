"""Requests by the hour, and events of a whole project by the minute: long spans are read from few rows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "hours",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("route_key", sa.String(length=32), nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("route", sa.String(length=400), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("sum", sa.Double(), nullable=False),
        sa.Column("sumsq", sa.Double(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("hour", "route_key"),
    )
    with op.batch_alter_table("hours", schema=None) as batch_op:
        batch_op.create_index("hours_by_project", ["project_id", "hour"], unique=False)
    op.execute(
        "INSERT INTO hours (project_id, hour, route_key, environment, method, route, status, count, sum, sumsq)"
        " SELECT project_id, minute / 60, route_key, environment, method, route, status, SUM(count),"
        " SUM(sum), SUM(sumsq) FROM requests"
        " GROUP BY project_id, minute / 60, route_key, environment, method, route, status"
    )
    op.execute(
        "INSERT INTO minutes (project_id, minute, group_id, events)"
        " SELECT project_id, minute, -project_id, SUM(events) FROM minutes GROUP BY project_id, minute"
    )
