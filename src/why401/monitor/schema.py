"""The tables, alike for SQLite and PostgreSQL. Times are seconds since 1970; ids are `ids.new()` where many nodes make
them at once, and small counted numbers where people type them (projects)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

metadata = MetaData()


def _id() -> Column[int]:
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def _counted() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _project() -> Column[int]:
    return Column("project_id", Integer, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False)


settings = Table(
    "settings", metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)  # fmt: skip

teams = Table(
    "teams", metadata,
    _counted(),
    Column("name", String(200), nullable=False, unique=True),
)  # fmt: skip

projects = Table(
    "projects", metadata,
    _counted(),
    Column("team_id", Integer, ForeignKey("teams.id")),
    Column("name", String(200), nullable=False, unique=True),
    Column("created", Double, nullable=False),
    Column("quota", Integer),  # events a minute; null: none
    Column("keep_days", Integer, nullable=False, server_default="90"),
    Column("keep_count", Integer, nullable=False, server_default="1000000"),
    Column("options", Text, nullable=False, server_default="{}"),  # blocklist, allowlist, apdex threshold …
)  # fmt: skip

keys = Table(  # by which clients may write, and nothing else
    "keys", metadata,
    Column("key", String(64), primary_key=True),
    _project(),
    Column("label", String(200), nullable=False, server_default=""),
    Column("created", Double, nullable=False),
    Column("revoked", Double),
)  # fmt: skip

groups = Table(
    "groups", metadata,
    _id(),
    _project(),
    Column("fingerprint", String(64), nullable=False),
    Column("merged_into", BigInteger),
    Column("kind", String(16), nullable=False),
    Column("title", String(400), nullable=False),
    Column("culprit", String(400), nullable=False, server_default=""),
    Column("status", Integer),
    Column("host", String(255), nullable=False, server_default=""),
    Column("route", String(400), nullable=False, server_default=""),
    Column("level", String(16), nullable=False, server_default="error"),
    Column("environment", String(64), nullable=False, server_default=""),
    Column("first_seen", Double, nullable=False),
    Column("last_seen", Double, nullable=False),
    Column("first_release", String(200), nullable=False, server_default=""),
    Column("last_release", String(200), nullable=False, server_default=""),
    Column("events", BigInteger, nullable=False, server_default="0"),
    Column("state", String(16), nullable=False, server_default="unresolved"),
    Column("state_changed", Double),
    Column("resolved_in", String(200), nullable=False, server_default=""),
    Column("muted_until", Double),
    Column("assignee_id", Integer),
    Column("cause", String(64), nullable=False, server_default=""),
    Column("report", Text),  # the diagnosis as JSON, without secrets
    Column("diagnosed_at", BigInteger, nullable=False, server_default="0"),  # its number of events then
    UniqueConstraint("project_id", "fingerprint"),
    Index("groups_by_last_seen", "project_id", "state", "last_seen"),
)  # fmt: skip

events = Table(
    "events", metadata,
    _id(),
    Column("project_id", Integer, nullable=False),
    Column("group_id", BigInteger, nullable=False),
    Column("client_id", String(36), nullable=False),
    Column("received", Double, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("status", Integer),
    Column("class", String(200), nullable=False),
    Column("message", String(1000), nullable=False),
    Column("level", String(16), nullable=False),
    Column("release", String(200), nullable=False),
    Column("environment", String(64), nullable=False),
    Column("user", String(200), nullable=False),
    Column("trace", String(32), nullable=False),
    Column("credential", String(16), nullable=False),  # keyed fingerprint
    Column("body", LargeBinary, nullable=False),  # the scrubbed event, JSON, zstd
    UniqueConstraint("project_id", "client_id"),
    Index("events_by_project", "project_id", "id"),
    Index("events_by_group", "group_id", "id"),
    Index("events_by_trace", "trace", sqlite_where=Column("trace") != "", postgresql_where=Column("trace") != ""),
    Index("events_by_credential", "credential",
          sqlite_where=Column("credential") != "", postgresql_where=Column("credential") != ""),
)  # fmt: skip

tags = Table(  # how often a group's events bear a value
    "tags", metadata,
    Column("group_id", BigInteger, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("value", String(200), primary_key=True),
    _project(),
    Column("events", BigInteger, nullable=False),
    Column("last_seen", Double, nullable=False),
    Index("tags_by_value", "project_id", "key", "value"),
)  # fmt: skip

minutes = Table(  # events of a group by minute, and, under the negative number of a project, of all its groups together
    "minutes", metadata,
    _project(),
    Column("minute", BigInteger, primary_key=True),
    Column("group_id", BigInteger, primary_key=True),
    Column("events", BigInteger, nullable=False),
    Index("minutes_by_group", "group_id", "minute"),
)  # fmt: skip

requests = Table(  # what a route answered by minute, as notifiers count it
    "requests", metadata,
    _project(),
    Column("minute", BigInteger, primary_key=True),
    Column("route_key", String(32), primary_key=True),  # of all that follows up to status
    Column("environment", String(64), nullable=False),
    Column("method", String(16), nullable=False),
    Column("route", String(400), nullable=False),
    Column("status", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("sum", Double, nullable=False),  # milliseconds
    Column("sumsq", Double, nullable=False),
    Column("digest", LargeBinary),  # centroids as JSON
    Index("requests_by_project", "project_id", "minute"),
)  # fmt: skip

hours = Table(  # the same by the hour, for long spans
    "hours", metadata,
    _project(),
    Column("hour", BigInteger, primary_key=True),
    Column("route_key", String(32), primary_key=True),
    Column("environment", String(64), nullable=False),
    Column("method", String(16), nullable=False),
    Column("route", String(400), nullable=False),
    Column("status", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("sum", Double, nullable=False),
    Column("sumsq", Double, nullable=False),
    Column("digest", LargeBinary),
    Index("hours_by_project", "project_id", "hour"),
)  # fmt: skip

dropped = Table(  # what was not kept, and why
    "dropped", metadata,
    Column("project_id", Integer, primary_key=True),
    Column("minute", BigInteger, primary_key=True),
    Column("reason", String(64), primary_key=True),
    Column("count", BigInteger, nullable=False),
)  # fmt: skip

refused = Table(  # clients that this monitor turned away
    "refused", metadata,
    Column("reason", String(40), primary_key=True),
    Column("path", String(200), primary_key=True),
    Column("agent", String(120), primary_key=True),
    Column("says", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("last_seen", Double, nullable=False),
)  # fmt: skip

deploys = Table(
    "deploys", metadata,
    _id(),
    _project(),
    Column("time", Double, nullable=False),
    Column("version", String(200), nullable=False),
    Column("environment", String(64), nullable=False),
    Column("user", String(200), nullable=False),
    Column("revision", String(200), nullable=False),
    Column("repository", String(400), nullable=False),
    Index("deploys_by_project", "project_id", "time"),
)  # fmt: skip

releases = Table(
    "releases", metadata,
    Column("project_id", Integer, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("version", String(200), primary_key=True),
    Column("first_seen", Double, nullable=False),
)  # fmt: skip

facts = Table(  # check-ins, sessions, feedback, and what notifiers count beside requests
    "facts", metadata,
    _id(),
    _project(),
    Column("kind", String(32), nullable=False),
    Column("name", String(400), nullable=False),
    Column("status", String(64), nullable=False),
    Column("time", Double, nullable=False),
    Column("data", Text, nullable=False),
    Index("facts_by_project", "project_id", "kind", "time"),
)  # fmt: skip

filters = Table(
    "filters", metadata,
    _counted(),
    _project(),
    Column("position", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("rule", Text, nullable=False),  # JSON
    Column("enabled", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("replaced", Double),  # a later version took its place
)  # fmt: skip

alerts = Table(
    "alerts", metadata,
    _counted(),
    _project(),
    Column("rule", Text, nullable=False),  # JSON
    Column("created", Double, nullable=False),
)  # fmt: skip

channels = Table(  # where notices go, as Apprise writes it; may hold secrets, so it is shown only in part
    "channels", metadata,
    _counted(),
    _project(),
    Column("url", Text, nullable=False),
    Column("created", Double, nullable=False),
)  # fmt: skip

notices = Table(  # what was noticed, and whether it was told
    "notices", metadata,
    _id(),
    _project(),
    Column("alert_id", Integer, nullable=False),
    Column("key", String(200), nullable=False),
    Column("time", Double, nullable=False),
    Column("title", String(400), nullable=False),
    Column("text", Text, nullable=False),
    Column("path", String(200), nullable=False),  # of the page that shows more
    Column("sent", Double),
    UniqueConstraint("alert_id", "key"),
    Index("notices_by_project", "project_id", "time"),
    Index("notices_waiting", "project_id",
          sqlite_where=Column("sent").is_(None), postgresql_where=Column("sent").is_(None)),
)  # fmt: skip

checks = Table(  # addresses that are asked again and again
    "checks", metadata,
    _counted(),
    _project(),
    Column("url", String(2000), nullable=False),
    Column("every", Integer, nullable=False),  # seconds
    Column("created", Double, nullable=False),
    Column("asked", Double),
    Column("state", String(16), nullable=False, server_default="new"),  # new, up, down, forbidden
    Column("since", Double),
    Column("status", Integer),
    Column("milliseconds", Double),
    Column("says", Text, nullable=False, server_default=""),
    Column("expires", Double),  # of the certificate
    Column("cause", String(64), nullable=False, server_default=""),
    Column("report", Text),
)  # fmt: skip

users = Table(
    "users", metadata,
    _counted(),
    Column("name", String(200), nullable=False, unique=True),
    Column("email", String(320), nullable=False, server_default=""),
    Column("password", Text),  # argon2; null: signs in elsewhere
    Column("subject", String(400), unique=True),  # issuer and subject of OpenID Connect
    Column("role", String(16), nullable=False),  # owner, admin, member, viewer
    Column("sessions", Integer, nullable=False, server_default="0"),  # counted up to end all sessions
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("created", Double, nullable=False),
)  # fmt: skip

members = Table(
    "members", metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("team_id", Integer, ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(16), nullable=False),
)  # fmt: skip

tokens = Table(  # of the API
    "tokens", metadata,
    _counted(),
    Column("digest", String(64), nullable=False, unique=True),
    Column("project_id", Integer, ForeignKey("projects.id", ondelete="CASCADE")),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE")),
    Column("label", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("created", Double, nullable=False),
    Column("used", Double),
    Column("revoked", Double),
)  # fmt: skip

comments = Table(
    "comments", metadata,
    _id(),
    Column("group_id", BigInteger, ForeignKey("groups.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Integer, nullable=False),
    Column("time", Double, nullable=False),
    Column("text", Text, nullable=False),
    Index("comments_by_group", "group_id", "time"),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    _id(),
    Column("time", Double, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(64), nullable=False),
    Column("project_id", Integer),
    Column("detail", Text, nullable=False),
    Index("audit_by_project", "project_id", "time"),
)  # fmt: skip

credentials = Table(  # those that last for days, as far as events showed them
    "credentials", metadata,
    Column("project_id", Integer, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True),
    Column("fingerprint", String(16), primary_key=True),
    Column("whose", String(200), nullable=False),
    Column("expires", Double, nullable=False),
    Column("last_seen", Double, nullable=False),
)  # fmt: skip

leases = Table(  # what only one node may do at a time
    "leases", metadata,
    Column("name", String(200), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Double, nullable=False),
)  # fmt: skip
