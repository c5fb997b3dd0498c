"""A login anew at a token URL that the user typed: a refresh token or client credentials (RFC 6749, 4.4 and 6)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from why401.evidence import Exchange
from why401.findings import STRONG, Finding, Where
from why401.probes import wire
from why401.probes.ask import Ask
from why401.probes.budget import Budget
from why401.secret import Secret


@dataclass(frozen=True)
class Login:
    """Where and how a new token is had; all of it typed by the user."""

    url: str
    client_id: str = ""
    client_secret: Secret | None = None
    refresh_token: Secret | None = None

    def ask(self) -> Ask:
        """The token request; the client authenticates by Basic where it has a secret (RFC 6749, 2.3.1)."""
        grant = "refresh_token" if self.refresh_token else "client_credentials"
        members = {"grant_type": grant}
        if self.refresh_token:
            members["refresh_token"] = self.refresh_token.reveal()
        user = None
        if self.client_secret is not None:
            user = Secret(f"{self.client_id}:{self.client_secret.reveal()}")
        elif self.client_id:
            members["client_id"] = self.client_id
        fields = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
        body = urlencode(members).encode()
        return Ask(self.url, "POST", fields, body, user=user, follow=False)


#: RFC 6749, section 5.2: what a refusal of the token request speaks for.
_REFUSED = {
    "invalid_grant": {"refresh-failed": STRONG + 6},
    "invalid_client": {"oauth-client-rejected": STRONG},
    "unauthorized_client": {"oauth-client-rejected": STRONG},
}


@dataclass
class Again:
    """Logs in once; later calls give the same token. `exchanges` and `findings` are for the report."""

    login: Login
    budget: Budget
    number: Callable[[int], int]
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _token: Secret | None = None
    _done: bool = False

    def __call__(self) -> Secret | None:
        if not self._done and self.budget.allows(login=True, legs=2):
            self._done = True
            self._token = self._fetch()
        return self._token

    def _fetch(self) -> Secret | None:
        try:
            legs = wire.send(self.login.ask(), number=self.number(1))
        except wire.Unreachable as problem:
            says = f"The token URL could not be asked: {problem}"
            self.findings.append(Finding("token-url-unreachable", says, {}))
            return None
        self.budget.count(legs)
        if not legs:
            return None
        last = legs[-1]
        read = _members(last)
        # The answer holds the new token, which no report is to show.
        self.exchanges += [_without_bodies(leg) for leg in legs]
        token = read.get("access_token")
        if isinstance(token, str) and token and last.status == 200:
            return Secret(token)
        error = str(read.get("error") or last.status)
        says = f"The token URL gives no new token: {error}."
        self.findings.append(
            Finding("no-new-token", says, _REFUSED.get(error, {"refresh-failed": 6.0}), Where.at(last))
        )
        return None


def _members(exchange: Exchange) -> dict[str, object]:
    try:
        read = json.loads((exchange.response.body if exchange.response else None) or "{}")
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _without_bodies(exchange: Exchange) -> Exchange:
    response = exchange.response
    return dataclasses.replace(
        exchange,
        request=dataclasses.replace(exchange.request, body=None),
        response=dataclasses.replace(response, body=None) if response else None,
        label="experiment",
    )
