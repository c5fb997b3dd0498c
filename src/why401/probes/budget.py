"""How much may be sent: nobody is to be locked out or flooded by a diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl

from why401.evidence import Exchange
from why401.secret import SENSITIVE_NAME, Secret

#: What a failed login looks like: a credential went out and was refused.
_LOGIN_REFUSED = frozenset({401, 403, 407})


@dataclass
class Budget:
    """Counts what was sent. `failed_logins` counts those beyond the user's own first request."""

    requests: int = 12
    failed_logins: int = 2
    sent: int = 0
    failed: int = 0

    def allows(self, *, login: bool, legs: int = 1) -> bool:
        """Whether a further request may go out; `login` says that it carries a credential."""
        if self.sent + legs > self.requests:
            return False
        return not login or self.failed < self.failed_logins

    def count(self, exchanges: tuple[Exchange, ...], *, own: bool = False) -> None:
        """Count what was sent; `own` marks the user's own first request, whose failure is not ours."""
        self.sent += len(exchanges)
        if not own:
            self.failed += sum(_failed_login(exchange) for exchange in exchanges)


def _failed_login(exchange: Exchange) -> bool:
    request = exchange.request
    in_field = any(isinstance(field.value, Secret) for field in request.fields)
    in_query = any(SENSITIVE_NAME.search(name) for name, _ in parse_qsl(request.split.query))
    return (in_field or in_query) and exchange.status in _LOGIN_REFUSED
