"""`why401 user`: who may see the monitor's pages."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence

from why401.cli import monitor_options


def main(words: Sequence[str]) -> int:
    options = argparse.ArgumentParser(
        "why401 user", description="People who may see the monitor.", allow_abbrev=False
    )
    commands = options.add_subparsers(required=True, metavar="add|token")
    add = commands.add_parser("add", help="make a user; the password is asked for, or read from a pipe")
    add.add_argument("name")
    add.add_argument("--role", default="member", metavar="ROLE", help="owner, admin, member or viewer")
    add.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    add.add_argument("--email", default="", metavar="ADDRESS", help="by which OpenID Connect knows the user")
    add.add_argument("--no-password", action="store_true", help="the user signs in by OpenID Connect alone")
    add.add_argument("--json", action="store_true")
    add.set_defaults(command=_add)
    monitor_options.where(add)
    token = commands.add_parser("token", help="make a token of the API for all that a user may see")
    token.add_argument("name")
    token.set_defaults(command=_token)
    monitor_options.where(token)
    return monitor_options.run(lambda given: int(given.command(given)), options, words)


def _add(given: argparse.Namespace) -> int:
    from why401.monitor import users

    identity = users.add(monitor_options.store(given), given.name, given.role, _password(given), given.email)
    told = {"id": identity, "name": given.name, "role": given.role}
    print(json.dumps(told) if given.json else f"User {identity}: {given.name}, {given.role}")
    return 0


def _password(given: argparse.Namespace) -> str | None:
    if given.no_password:
        return None
    return sys.stdin.readline().rstrip("\r\n") if given.password_stdin else getpass.getpass("Password: ")


def _token(given: argparse.Namespace) -> int:
    from why401.monitor import users

    print(users.token(monitor_options.store(given), given.name))
    return 0
