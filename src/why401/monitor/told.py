"""What `why401.integrations` says beside the protocol's own form: it belongs to the exchange and to the context."""

from __future__ import annotations

from typing import Any

from why401.monitor.event import Event
from why401.monitor.take import mapping, text


def add(made: Event, said: Any) -> None:
    """`said`: what stood below `why401`."""
    exchange, held = made.get("exchange"), mapping(said)
    if not held or exchange is None:
        return
    role = text(held, "role")
    if role in ("client", "server"):
        exchange["role"] = role  # type: ignore[typeddict-item]
    if route := text(held, "route"):
        exchange["route"] = route
    exchange["complete"] = held.get("complete") is True
    context = made.setdefault("context", {})
    context.pop("why401", None)
    if credential := mapping(held, "credential"):
        context["credential"] = credential
    if where := text(held, "where"):
        context["where"] = where
    if "raised" not in made or [one.get("type") for one in made["raised"]] == ["Refused"]:
        made["kind"], made["level"] = "refusal", "warning"
        made.pop("raised", None)
