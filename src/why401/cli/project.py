"""`why401 project`: make projects and change them, whether the server runs or not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = argparse.ArgumentParser(
        "why401 project", description="Projects of the monitor.", allow_abbrev=False
    )
    commands = options.add_subparsers(required=True, metavar="add|set|list")
    add = commands.add_parser("add", help="make a project, and show how clients are pointed at it")
    add.add_argument("name")
    add.set_defaults(command=_add)
    change = commands.add_parser("set", help="change a project")
    change.add_argument("project", type=int, metavar="ID")
    change.add_argument("--quota", metavar="N/minute", help="events taken a minute; none: no limit")
    change.add_argument("--name")
    change.add_argument("--keep-days", type=int, metavar="N")
    change.add_argument("--keep-events", type=int, metavar="N")
    change.set_defaults(command=_set)
    every = commands.add_parser("list", help="show every project")
    every.set_defaults(command=_list)
    for command in (add, change, every):
        monitor_options.where(command)
        command.add_argument("--json", action="store_true")
    add.add_argument("--url", metavar="URL", help="the address of the server, where it was never started yet")
    return monitor_options.run(lambda given: int(given.command(given)), options, words)


def _add(given: argparse.Namespace) -> int:
    from why401.monitor import projects, settings

    store = monitor_options.store(given)
    base = given.url or settings.get(store, "base", settings.BASE)
    made = projects.add(store, given.name, base.rstrip("/"))
    if given.json:
        print(json.dumps(made))
        return 0
    print(f"Project {made['id']}: {given.name}\n")
    print(f"Sentry SDKs:    dsn = {made['sentry_dsn']}")
    print(f"Airbrake:       host = {base}, project_id = {made['id']}, project_key = {made['key']}")
    print(f"OpenTelemetry:  OTEL_EXPORTER_OTLP_ENDPOINT={base}")
    print(f"                OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20{made['key']}")
    print(f"API token:      {made['api_token']}  (shown only now)")
    return 0


def _quota(said: str | None) -> dict[str, int | None]:
    from why401.monitor.store import Unusable

    if said is None:
        return {}
    number = said.removesuffix("/minute")
    if said == "none":
        return {"quota": None}
    if not number.isdecimal():
        raise Unusable(f"--quota {said}: give a number of events, such as 1000/minute, or none.")
    return {"quota": int(number)}


def _set(given: argparse.Namespace) -> int:
    from why401.monitor import projects
    from why401.monitor.store import Unusable

    values: dict[str, object] = dict(_quota(given.quota))
    wanted = {"name": given.name, "keep_days": given.keep_days, "keep_count": given.keep_events}
    values |= {name: value for name, value in wanted.items() if value is not None}
    if not values:
        raise Unusable("Nothing to change: give --quota, --name, --keep-days or --keep-events.")
    projects.change(monitor_options.store(given), given.project, **values)
    if given.json:
        print(json.dumps({"id": given.project, **values}))
    return 0


def _list(given: argparse.Namespace) -> int:
    from why401.monitor import projects

    with monitor_options.store(given).read() as connection:
        held, _ = projects.everything(connection)
    for project in held.values():
        row = {"id": project.id, "name": project.name, "quota": project.quota}
        print(json.dumps(row) if given.json else f"{project.id:4}  {project.name}")
    return 0
