"""`why401 serve`: the monitor that SDKs report to."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from why401.cli import monitor_options

SECRET = "WHY401_OPENID_SECRET"


def main(words: Sequence[str]) -> int:
    options = monitor_options.parser("serve", "Receive, explain and show errors, until SIGTERM.")
    options.add_argument("--listen", default="127.0.0.1:4010", metavar="HOST:PORT")
    options.add_argument("--url", metavar="URL", help="the address by which clients and browsers reach it")
    options.add_argument("--allow-host", action="append", default=[], metavar="HOST",
                         help="a host off the public internet that notices and uptime checks may go to")  # fmt: skip
    options.add_argument(
        "--openid",
        metavar="ISSUER",
        help="sign in by OpenID Connect too; redirect URI: URL/sign-in/openid/back",
    )
    options.add_argument(
        "--openid-client", metavar="ID", help=f"the client's id there; its secret in {SECRET}"
    )
    return monitor_options.run(_serve, options, words)


def _serve(given: argparse.Namespace) -> int:
    from why401.monitor.openid import Provider
    from why401.monitor.server import serve
    from why401.monitor.store import Unusable

    host, _, port = given.listen.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise Unusable(f"--listen {given.listen}: give HOST:PORT, such as 127.0.0.1:4010.")
    provider = None
    if given.openid or given.openid_client:
        secret = os.environ.pop(SECRET, "")
        if not (given.openid and given.openid_client and secret):
            raise Unusable(
                f"OpenID Connect needs --openid ISSUER, --openid-client ID and the secret in {SECRET}."
            )
        provider = Provider(given.openid, given.openid_client, secret)
    serve(
        given.data,
        host.strip("[]") or "127.0.0.1",
        int(port),
        given.database,
        given.url,
        given.allow_host,
        provider,
    )
    return 0
