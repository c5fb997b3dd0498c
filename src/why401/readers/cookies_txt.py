"""Cookie files: Netscape's cookies.txt (curl -c, wget, browser exports) and JSON exports of browser extensions.

Fields of a line of cookies.txt, parted by tabs: domain, whether subdomains match, path, secure, expiry in
seconds (0 for a session cookie), name, value. `#HttpOnly_` before the domain is curl's mark.
Each cookie becomes an `Offer` and, for what limits it, `Setting`s `cookie.NAME.domain` and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from why401.evidence import Evidence, Offer, Setting, Source, Unreadable
from why401.prefilter import lazy
from why401.secret import Secret

_LINE: Final = lazy(
    r"^(?P<only>#HttpOnly_)?(?P<domain>[^\s#][^\t\n]*)\t(?P<sub>TRUE|FALSE)\t(?P<path>/[^\t\n]*)\t(?P<secure>TRUE|FALSE)\t"
    r"(?P<expires>-?\d+(?:\.\d+)?)\t(?P<name>[^\t\n]*)(?:\t(?P<value>[^\n]*))?$",
    re.M | re.I,
)
_HEAD: Final = lazy(r"^# (?:Netscape )?HTTP Cookie File", re.I)
_EXPORT: Final = lazy(r'"(?:hostOnly|sameSite|httpOnly|storeId|expirationDate)"\s*:')


def sniff(name: str, text: str) -> bool:  # noqa: ARG001
    """Whether the text is a cookie file as a whole."""
    head = text[:3000].lstrip()
    if _HEAD.match(head) or _LINE.match(head):
        return True
    return head.startswith("[") and bool(_EXPORT.search(head)) and '"domain"' in head and '"value"' in head


def read(text: str, source: Source) -> Evidence:
    """The cookies of the file."""
    offers: list[Offer] = []
    settings: list[Setting] = []
    unreadable: list[Unreadable] = []
    cookies = _export(text) if text.lstrip().startswith("[") else _netscape(text)
    if cookies is None:
        says = f"{source.name} looks like exported cookies, but is not whole JSON; export it again."
        return Evidence(unreadable=(Unreadable(says, source),))
    for line, cookie in cookies:
        at = source.at(line)
        name = cookie["name"]
        offers.append(Offer("cookie", name, None, Secret(cookie["value"]), at, provenance="cookie file"))
        settings += [
            Setting(f"cookie.{name}.{k}", v, at) for k, v in cookie.items() if k not in ("name", "value")
        ]
    if not offers:
        unreadable.append(Unreadable(f"{source.name} is a cookie file without cookies.", source))
    return Evidence(offers=tuple(offers), settings=tuple(settings), unreadable=tuple(unreadable))


def _netscape(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    for number, line in enumerate(text.split("\n"), 1):
        found = _LINE.match(line.rstrip("\r")) if "\t" in line else None
        if found is not None:
            yield (
                number,
                {
                    "name": found["name"],
                    "value": found["value"] or "",
                    "domain": found["domain"],
                    "path": found["path"],
                    "secure": found["secure"].lower(),
                    "expires": found["expires"],
                    "httponly": "true" if found["only"] else "false",
                    "hostonly": "false" if found["sub"].upper() == "TRUE" else "true",
                },
            )


def _export(text: str) -> Iterator[tuple[int, dict[str, str]]] | None:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return ((1, _exported(item)) for item in items if isinstance(item, dict) and item.get("name"))


def _exported(item: Mapping[str, Any]) -> dict[str, str]:
    keys = {
        "domain": item.get("domain", ""),
        "path": item.get("path", "/"),
        "secure": item.get("secure", False),
        "expires": item.get("expirationDate") or item.get("expires") or 0,
        "httponly": item.get("httpOnly", False),
        "hostonly": item.get("hostOnly", False),
        "samesite": item.get("sameSite") or "",
    }
    told = {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in keys.items()}
    return {"name": str(item["name"]), "value": str(item.get("value", "")), **told}
