"""Run by Alembic, on the connection that `store.open_store` hands over."""

from __future__ import annotations

from alembic import context

from why401.monitor.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
)
context.run_migrations()
