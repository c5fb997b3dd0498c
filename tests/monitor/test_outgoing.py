"""Where the monitor goes by itself: never to the inside, unless the operator allows it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.monitor.hooks import hook
from why401.monitor.outgoing import Forbidden, Guard, Outgoing, public


@pytest.mark.parametrize("address", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "2002:7f00:1::", "255.255.255.255",
])  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "1.1.1.1"])
def test_addresses_that_are_public(address: str) -> None:
    assert public(address)


def resolving(guard: Guard, *addresses: str) -> Guard:
    """What the guard sees of the system's resolver."""
    guard._resolve = lambda *_, **__: [(socket.AF_INET, 1, 6, "", (one, 80)) for one in addresses]
    return guard


def test_of_many_addresses_only_public_ones_are_handed_out() -> None:
    found = resolving(Guard(()), "10.0.0.1", "1.1.1.1").getaddrinfo("both.example", 80)
    assert [one[4][0] for one in found] == ["1.1.1.1"]


def test_a_name_that_resolves_to_the_inside_is_refused() -> None:
    with pytest.raises(Forbidden, match=r"--allow-host inside\.example"):
        resolving(Guard(()), "10.0.0.1").getaddrinfo("inside.example", 80)


def test_an_allowed_host_is_reached_and_no_other_at_its_address() -> None:
    guard = resolving(Guard(("inside.example",)), "10.0.0.1")
    assert guard.getaddrinfo("inside.example", 80)
    with pytest.raises(Forbidden):
        guard.getaddrinfo("other.example", 80)


@pytest.fixture(params=[(), ("127.0.0.1",)], ids=["nothing allowed", "127.0.0.1 allowed"])
def outgoing(request: pytest.FixtureRequest) -> Any:
    one = Outgoing(request.param)
    yield one, bool(request.param)
    one.stop()


def test_uptime_checks_and_notices(outgoing: tuple[Outgoing, bool]) -> None:
    out, allowed = outgoing
    with hook() as server:
        looked = out.look(f"http://{server.place}/health")
        assert (looked.state, looked.status) == (("up", 200) if allowed else ("forbidden", None))
        failed = out.send([f"json://{server.place}/hook"], "a title", "a text")
        assert bool(failed) is not allowed
        assert any("a text" in body for body in server.bodies) is allowed
        server.status = 401
        looked = out.look(f"http://{server.place}/health")
        if allowed:
            assert (looked.state, looked.status) == ("down", 401)
            assert "causes" in looked.report


def test_a_redirect_to_the_inside_is_not_followed() -> None:
    """Reached by an allowed name, sent on to a host that is not."""
    with hook() as server:
        server.status, server.location = 302, f"http://localhost:{server.server_port}/inside"
        out = Outgoing(("127.0.0.1",))
        try:
            assert out.look(f"http://{server.place}/").state == "forbidden"
        finally:
            out.stop()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/", "http://[::1]:9/", "http://0x7f.1:9/", "http://2130706433:9/"]
)
def test_no_way_to_write_loopback_gets_there(url: str) -> None:
    out = Outgoing(())
    try:
        assert out.look(url).state in ("forbidden", "down")
        assert out.look(url).status is None
    finally:
        out.stop()


def test_libcurl_asks_before_it_connects() -> None:
    from why401.probes import wire

    asked: list[str] = []

    def never(address: str) -> bool:
        asked.append(address)
        return False

    held: Callable[[str], bool] | None = wire.guard
    wire.guard = never
    try:
        with hook() as server:
            import why401

            assert why401.diagnose(f"http://{server.place}/").unreachable
            assert asked == ["127.0.0.1"]
    finally:
        wire.guard = held
