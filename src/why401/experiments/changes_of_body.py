"""Changes of a login's body: form-encoded for JSON, JSON for form-encoded. Only where a repetition is allowed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode

from why401.experiments.change import Seen, change
from why401.probes.ask import Ask

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


@change("other-body", "the same login in the other body format (form or JSON)", "login-body-not-read")
def other_body(ask: Ask, seen: Seen) -> Iterator[Ask]:
    members = login_members(ask)
    if not members:
        return
    if (ask.body or b"").lstrip()[:1] == b"{":
        yield with_body(ask, urlencode(members), _FORM)
    else:
        yield with_body(ask, json.dumps(members), _JSON)


@change("declared-body", "the same login with the Content-Type that its body has", "login-body-not-read")
def declared_body(ask: Ask, seen: Seen) -> Iterator[Ask]:
    body = (ask.body or b"").lstrip()
    true = _JSON if body[:1] in (b"{", b"[") else _FORM
    if login_members(ask) and true not in (ask.get("content-type") or "").lower():
        yield ask.with_field("Content-Type", true)


def with_body(ask: Ask, body: str, kind: str) -> Ask:
    """The same request with another body."""
    return dataclasses.replace(ask, body=body.encode()).with_field("Content-Type", kind)


def login_members(ask: Ask) -> dict[str, str]:
    """The members of a flat body that holds a password or secret; empty where it is no such body."""
    text = (ask.body or b"").decode("utf-8", "replace").strip()
    if text[:1] == "{":
        try:
            read = json.loads(text)
        except ValueError:
            return {}
        members = {k: v for k, v in read.items() if isinstance(v, str)} if isinstance(read, dict) else {}
    else:
        members = dict(parse_qsl(text, keep_blank_values=True))
    return members if any("pass" in k.lower() or "secret" in k.lower() for k in members) else {}
