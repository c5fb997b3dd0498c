"""The TLS client certificate that the user's command names: its dates, and what the server says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from why401.findings import AGAINST, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.probes.ask import Ask

# Alerts of TLS (RFC 8446, section 6.2) in OpenSSL's words, and nginx's pages to a certificate that it refuses.
_OVER = re.compile(r"(?i)alert (?:number 45|certificate expired)|certificate has expired")
_REFUSED = re.compile(
    r"(?i)alert (?:number (?:42|43|46|48|51)|unknown ca|bad certificate|decrypt error|certificate unknown)"
    r"|The SSL certificate error|ssl certificate verify error"
)
_WANTED = re.compile(r"(?i)certificate required|alert number 116|No required SSL certificate was sent")


def certificate(ask: Ask, said: str, *, broken: bool = False) -> Iterator[Finding]:
    """What follows from the certificate at hand and from `said`: curl's notes and the answer's words.

    `broken` says that no answer came: then having been asked for a certificate is enough of a sign.
    """
    names = [value for option, value in ask.transport if option == "cert"]
    refused, over = bool(_REFUSED.search(said)), bool(_OVER.search(said))
    told = refused or over or bool(_WANTED.search(said))
    asked = broken and "Request CERT (" in said
    end = _end(Path(names[0].partition(":")[0])) if names and (told or asked) else None
    ended = end is not None and end < datetime.now(UTC)
    if not told and not (asked and (ended or not names)):
        return
    weights = {"not-an-auth-error": -60.0, "no-credentials": AGAINST}
    if not names:
        says = "The server wants a TLS client certificate, and the command names none."
        missing = {"client-certificate-missing": NAMED, "client-certificate-expired": AGAINST}
        yield Finding(
            "certificate-not-named", says, {**missing, **weights}, Where("live"), group="certificate"
        )
        return
    if end is not None and ended:
        says = f"The client certificate ended on {end:%Y-%m-%d}."
        expired = {"client-certificate-expired": NAMED + STRONG, "client-certificate-missing": AGAINST}
        yield Finding("certificate-over", says, {**expired, **weights}, Where("live"), group="certificate")
    elif over and end is None:
        says = "The server says that the client certificate has expired."
        expired = {"client-certificate-expired": NAMED}
        yield Finding("certificate-over", says, {**expired, **weights}, Where("live"), group="certificate")
    else:
        says = "A client certificate was sent, and the server does not accept it: it wants another one."
        other = {"client-certificate-missing": NAMED, "client-certificate-expired": RULED_OUT}
        yield Finding("certificate-refused", says, {**other, **weights}, Where("live"), group="certificate")


def _end(path: Path) -> datetime | None:
    """The end of the first certificate in a PEM file, or None where it cannot be read."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return None
