"""Cookie files."""

from __future__ import annotations

import json

from hypothesis import given

from tests.readers.reading import ANYTHING, told
from why401.evidence import Source
from why401.readers import cookies_txt
from why401.secret import Secret

NETSCAPE = (
    "# Netscape HTTP Cookie File\n# made by hand\n\n"
    ".example.com\tTRUE\t/\tTRUE\t1893456000\tsid\tmade-up-1\n"
    "#HttpOnly_shop.example.com\tFALSE\t/cart\tFALSE\t0\tcart\tmade-up-2\n"
)


def test_netscape() -> None:
    evidence = told(cookies_txt, NETSCAPE, "cookies.txt")
    assert [(o.name, o.value, o.source.line) for o in evidence.offers] == [
        ("sid", Secret("made-up-1"), 4),
        ("cart", Secret("made-up-2"), 5),
    ]
    settings = {s.key: s.text for s in evidence.settings}
    assert settings["cookie.cart.httponly"] == "true"
    assert settings["cookie.cart.path"] == "/cart"
    assert settings["cookie.sid.secure"] == "true"
    assert "made-up" not in repr(evidence)


def test_json_export() -> None:
    item = {
        "domain": ".example.com",
        "name": "sid",
        "value": "made-up",
        "httpOnly": True,
        "sameSite": "lax",
        "path": "/",
    }
    evidence = told(cookies_txt, json.dumps([item], indent=1), "cookies.json")
    assert evidence.offers[0].value == Secret("made-up")
    assert {s.key: s.text for s in evidence.settings}["cookie.sid.samesite"] == "lax"
    broken = told(cookies_txt, json.dumps([item])[:-2], "cookies.json")
    assert "export it again" in broken.unreadable[0].says


def test_other_files() -> None:
    assert not cookies_txt.sniff("x", "Cookie: a=b\n")
    assert not cookies_txt.sniff("x", '[{"domain": "x", "value": 1}]')


@given(ANYTHING)
def test_never_raises(text: str) -> None:
    cookies_txt.sniff("x", text)
    cookies_txt.read(text, Source("x"))
    cookies_txt.read("[" + text, Source("x"))
