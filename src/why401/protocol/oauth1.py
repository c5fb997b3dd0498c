"""OAuth 1.0 signatures (RFC 5849, section 3.4): the base string and the signature, recomputed."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .problems import Problem

_HASHES = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256", "HMAC-SHA512": "sha512"}
_NEEDED = (
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_signature",
    "oauth_timestamp",
    "oauth_nonce",
)
_Pairs = Iterable[tuple[str, str]]


def encode(text: str) -> str:
    """Percent-encoding (section 3.6): all but the unreserved, and in UTF-8."""
    return quote(text, safe="~", errors="replace")


def base_string(method: str, url: str, params: _Pairs) -> str:
    """Section 3.4.1: method, URL without query, and all parameters, sorted after they were encoded.

    `params` are those of the Authorization field, decoded (without realm and signature), and of a form body.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.port and parts.port != {"http": 80, "https": 443}.get(parts.scheme):
        host += f":{parts.port}"
    pairs = [*parse_qsl(parts.query, keep_blank_values=True), *params]
    encoded = sorted((encode(k), encode(v)) for k, v in pairs if k not in ("oauth_signature", "realm"))
    joined = "&".join(f"{k}={v}" for k, v in encoded)
    uri = f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
    return "&".join((method.upper(), encode(uri), encode(joined)))


def signature(
    text: str, consumer_secret: str, token_secret: str = "", method: str = "HMAC-SHA1"
) -> str | None:
    """Section 3.4.2; PLAINTEXT is the key itself (3.4.4). None for RSA, which needs a private key."""
    key = f"{encode(consumer_secret)}&{encode(token_secret)}"
    if method.upper() == "PLAINTEXT":
        return key
    name = _HASHES.get(method.upper())
    return (
        base64.b64encode(hmac.new(key.encode(), text.encode("utf-8", "replace"), name).digest()).decode()
        if name
        else None
    )


def verify(
    method: str,
    url: str,
    params: Mapping[str, str],
    consumer_secret: str,
    token_secret: str = "",
    form: _Pairs = (),
) -> str | None:
    """Which reading gives the signature that was sent: "as sent", another one in words, or None."""
    sent = unquote(params.get("oauth_signature", ""))
    decoded = [(unquote(k), unquote(v)) for k, v in params.items()]
    how = params.get("oauth_signature_method", "HMAC-SHA1")
    for variant, (a_method, a_url, a_token, body) in _variants(method, url, token_secret, list(form)):
        try:
            text = base_string(a_method, a_url, [*decoded, *body])
        except ValueError:
            continue
        made = signature(text, consumer_secret, a_token, how)
        if made is not None and hmac.compare_digest(made.encode(), sent.encode("utf-8", "replace")):
            return variant
    return None


def _variants(
    method: str, url: str, token_secret: str, form: list[tuple[str, str]]
) -> Iterator[tuple[str, tuple[str, str, str, list[tuple[str, str]]]]]:
    yield "as sent", (method, url, token_secret, form)
    swapped = "http" + url[5:] if url.startswith("https") else "https" + url[4:]
    yield "the other scheme in the URL", (method, swapped, token_secret, form)
    yield "the URL without its query", (method, url.partition("?")[0], token_secret, form)
    yield "an empty token secret", (method, url, "", form)
    if form:
        yield "the form body left out", (method, url, token_secret, [])
    for other in ("GET", "POST"):
        if other != method.upper():
            yield f"the method {other}", (other, url, token_secret, form)


def check(params: Mapping[str, str], now: datetime | None = None, leeway: float = 300) -> tuple[Problem, ...]:
    """What the parameters themselves show to be wrong."""
    plain = params.get("oauth_signature_method", "").upper() == "PLAINTEXT"
    optional = ("oauth_timestamp", "oauth_nonce") if plain else ()
    out = [
        Problem("missing-parameter", (0, 0), f"The credentials lack {name} (RFC 5849, section 3.1).")
        for name in _NEEDED
        if name not in params and name not in optional
    ]
    stamp = params.get("oauth_timestamp", "")
    if now is not None and stamp.isascii() and stamp.isdigit() and len(stamp) < 16:
        off = int(now.timestamp()) - int(stamp)
        if len(stamp) >= 13:
            out.append(Problem("timestamp-in-milliseconds", (0, 0), "oauth_timestamp is in milliseconds."))
        elif abs(off) > leeway:
            side = "behind" if off > 0 else "ahead of"
            out.append(
                Problem("timestamp-skew", (0, 0), f"oauth_timestamp is {abs(off)} seconds {side} the clock.")
            )
    elif stamp and not stamp.isdigit():
        out.append(Problem("timestamp", (0, 0), "oauth_timestamp is no number of seconds."))
    return tuple(out)
