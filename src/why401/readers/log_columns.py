"""Logs in the W3C extended format, whose `#Fields:` line names the columns (IIS, CloudFront).

Of IIS the substatus and the Windows error are kept in the message as "401.1, Windows 1326":
https://learn.microsoft.com/troubleshoot/developer/webapps/iis/www-administration-management/http-status-code
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from why401.evidence import Record, Source
from why401.readers import log_times

_COLUMNS = {
    "sc-status": "status", "cs-method": "method", "cs-uri-stem": "path", "c-ip": "address", "cs-username": "user",
    "cs(User-Agent)": "agent",
}  # fmt: skip

#: Windows errors (winerror.h, by their decimal values in sc-win32-status) that a refused login ends with.
WINDOWS = {
    "5": "access denied", "1326": "wrong user name or password", "1327": "account restriction",
    "1328": "not at this time of day", "1329": "not from this computer", "1330": "password expired",
    "1331": "account disabled", "1385": "logon type not granted", "1793": "account expired",
    "1907": "password must change", "1909": "account locked", "2148074252": "logon denied",
    "2148074254": "no credentials yet, a step of the handshake", "2148074248": "token not understood",
    "2148074257": "no authority to ask", "2148074274": "ticket for another principal", "2148074276": "clock skew",
}  # fmt: skip


def record(line: str, columns: Sequence[str], source: Source) -> Record | None:
    """The record of a line with these columns; None where it holds no status."""
    values = line.split("\t") if "\t" in line else line.split()
    held = dict(zip(columns, values, strict=False))
    found = {key: held[name] for name, key in _COLUMNS.items() if held.get(name, "-") != "-"}
    if not found.get("status", "").isdigit():
        return None
    return Record(
        line,
        source,
        log_times.find(f"{held.get('date', '')} {held.get('time', '')}"),
        None,
        int(found["status"]),
        found.get("method"),
        found.get("path"),
        found.get("address"),
        found.get("user"),
        found.get("agent", "").replace("+", " ").replace("%20", " ") or None,
        "IIS" if "sc-win32-status" in held else "CloudFront" if "x-edge-location" in held else None,
        _why(held),
    )


def _why(held: Mapping[str, str]) -> str:
    substatus, windows = held.get("sc-substatus"), held.get("sc-win32-status")
    if substatus is None or not held.get("sc-status", "").startswith("4"):
        return ""
    says = f"{held['sc-status']}.{substatus}"
    if windows in (None, "0", "-"):
        return says
    meaning = f" ({WINDOWS[windows]})" if windows in WINDOWS else ""
    return f"{says}, Windows {windows}{meaning}"
