"""Changes of the credential: its form, scheme, encoding and place, and whether it is sent at all."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator

from why401.experiments.change import Seen, change
from why401.probes.ask import Ask, is_credential_field, without_userinfo
from why401.secret import Secret

_STRAY = "\r\n\t \u00a0\u200b\u200c\u200d\ufeff\u2028\u2060\u00ad"
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
_SCHEMES = "basic|bearer|token|digest|apikey|jwt|negotiate"


def basic_pair(ask: Ask) -> str | None:
    """The `user:password` that the request sends by Basic, wherever it comes from; None where there is none."""
    if ask.user and ask.auth == "basic":
        return ask.user.reveal()
    scheme, _, token = (ask.get("authorization") or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    decoded = _unbase64(token.strip())
    return decoded.decode("utf-8", "surrogateescape") if decoded and b":" in decoded else None


def with_basic(ask: Ask, pair: str, charset: str = "utf-8") -> Ask:
    """The same request with these Basic credentials in place of its own."""
    raw = pair.encode(charset, "surrogateescape")
    bare = dataclasses.replace(ask, user=None, url=without_userinfo(ask.url))
    return bare.with_field("Authorization", "Basic " + base64.b64encode(raw).decode())


def _unbase64(text: str) -> bytes | None:
    padded = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


@change("without-credentials", "the same request without any credential", "needless-credential-rejected")
def without_credentials(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if ask.has_credentials:
        yield ask.anonymous()


@change("trimmed", "stray whitespace and line ends taken off the credential", "stray-whitespace")
def trimmed(ask: Ask, seen: Seen) -> Iterator[Ask]:
    pair = basic_pair(ask)
    if pair is not None:
        user, _, password = pair.partition(":")
        clean = f"{user.strip(_STRAY)}:{password.strip(_STRAY)}"
        if clean != pair:
            yield with_basic(ask, clean)
        return
    fields = tuple((n, _tidy(v)) if is_credential_field(n) else (n, v) for n, v in ask.fields)
    if fields != ask.fields:
        yield dataclasses.replace(ask, fields=fields)


def _tidy(value: str) -> str:
    scheme, space, token = value.strip(_STRAY).partition(" ")
    return scheme + space + token.strip(_STRAY) if space else scheme


@change("well-formed", "the credential in its proper form", "malformed-authorization")
def well_formed(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if ask.bearer is not None:
        token = tidy_value(f"Bearer {ask.bearer.reveal()}").partition(" ")[2]
        if token != ask.bearer.reveal():
            yield dataclasses.replace(ask, bearer=Secret(token))
        return
    pair = basic_pair(ask)
    if pair is not None and _unquoted(pair) != pair:
        yield with_basic(ask, _unquoted(pair))
        return
    fields = tuple((n, _proper(n, v)) for n, v in ask.fields)
    if fields != ask.fields:
        yield dataclasses.replace(ask, fields=fields)


def _unquoted(pair: str) -> str:
    """User and password without the quotes that a file or a shell left round them."""
    user, _, password = pair.partition(":")
    halves = (
        (half[1:-1] if len(half) > 2 and half[0] == half[-1] in _QUOTES else half)
        for half in (user, password)
    )
    return (
        ":".join(halves).strip(_QUOTES) if pair[:1] == pair[-1:] and pair[:1] in _QUOTES else ":".join(halves)
    )


def _proper(name: str, value: str) -> str:
    """A field's value in its proper form; only credentials are touched, and no Digest."""
    if not is_credential_field(name) or name.lower() == "cookie" or re.match(r"(?i)digest", value.strip()):
        return value
    if name.lower() == "authorization":
        clean = tidy_value(value)
    else:  # a key stands alone in its field
        clean = re.sub(rf"(?i)^(?:{_SCHEMES})[:=]?\s+", "", value.strip()).strip(_QUOTES + "<>,;")
    return clean if clean != value.strip() else value


def tidy_value(value: str) -> str:
    """`Scheme token`: no scheme twice, no field name, no separator, quotes or percent-encoding round them."""
    clean = re.sub(
        r"(?i)^(?:proxy-)?(?:authorization|authentication)\s*[:=]\s*", "", value.strip().strip(_QUOTES)
    )
    clean = re.sub(rf"(?i)^({_SCHEMES})(?:%20|\+|_|\s*[:=,]\s*)(?=\S)", r"\1 ", clean)
    clean = re.sub(rf"(?i)^(?:({_SCHEMES})[:=,]?\s+)(?:(?:{_SCHEMES})[:=]?\s+)+", r"\1 ", clean)
    clean = re.sub(r"^(Basic|Bearer|Token|bearer|basic)(?=[\w.+/-]{8,}=*$)", r"\1 ", clean)
    scheme, space, token = clean.partition(" ")
    return scheme + space + token.strip().strip(_QUOTES + "<>,;")


@change("re-encoded", "the Basic value in proper base64", "bad-base64")
def re_encoded(ask: Ask, seen: Seen) -> Iterator[Ask]:
    scheme, _, token = (ask.get("authorization") or "").strip().partition(" ")
    token = re.sub(r"\s", "", token)
    if scheme.lower() != "basic" or not token:
        return
    if ":" in token:
        yield with_basic(ask, token)
        return
    raw = _unbase64(token)
    if raw is None:
        return
    twice = _unbase64(raw.decode("latin-1"))
    if b":" not in raw and twice and b":" in twice:
        raw = twice
    standard = base64.b64encode(raw).decode()
    if standard != token:
        yield ask.with_field("Authorization", f"Basic {standard}")


@change("other-charset", "user and password encoded in the other charset", "charset-mismatch")
def other_charset(ask: Ask, seen: Seen) -> Iterator[Ask]:
    pair = basic_pair(ask)
    if pair is None or pair.isascii():
        return
    if "\udc80" <= max(pair) <= "\udcff":  # bytes that are no UTF-8 were sent: ISO-8859-1, so try UTF-8
        yield with_basic(ask, pair.encode("utf-8", "surrogateescape").decode("latin-1"))
    else:
        try:
            yield with_basic(ask, pair, "latin-1")
        except UnicodeEncodeError:
            return


@change("challenged-scheme", "the same user and password by the scheme that is asked for", "wrong-scheme")
def challenged_scheme(ask: Ask, seen: Seen) -> Iterator[Ask]:
    pair = basic_pair(ask) or (ask.user.reveal() if ask.user else None)
    if not pair:
        return
    bare = ask.without(["authorization"]).at(without_userinfo(ask.url))
    for wanted in ("digest", "ntlm", "negotiate"):
        if wanted in seen.schemes and "basic" not in seen.schemes and ask.auth != wanted:
            yield dataclasses.replace(bare, user=Secret(pair), auth=wanted)
            return
    # Basic shows the password to everybody on the way: only where nobody can listen.
    private = ask.origin[0] == "https" or ask.origin[1] in ("localhost", "127.0.0.1", "::1")
    if "basic" in seen.schemes and ask.auth != "basic" and ask.auth not in seen.schemes and private:
        yield dataclasses.replace(bare, user=Secret(pair), auth="basic")


@change("other-scheme", "the same token with another scheme word", "wrong-scheme")
def other_scheme(ask: Ask, seen: Seen) -> Iterator[Ask]:
    value = (ask.get("authorization") or "").strip()
    scheme, _, token = value.partition(" ")
    token = token.strip()
    if not value:
        return
    if not token:
        scheme, token = "", value
    raw = _unbase64(token)
    looks_basic = raw is not None and b":" in raw and raw.isascii()
    if "basic" in seen.schemes and scheme.lower() != "basic" and looks_basic:
        yield ask.with_field("Authorization", f"Basic {token}")
    elif scheme.lower() in ("", "token", "jwt", "apikey", "oauth"):
        yield ask.with_field("Authorization", f"Bearer {token}")
    elif scheme.lower() == "bearer":
        wanted = ""
        for other in (s for s in seen.schemes if s in ("token", "jwt", "apikey")):
            wanted = other.capitalize() if other == "token" else other.upper()
        if wanted:
            yield ask.with_field("Authorization", f"{wanted} {token}")


@change("raw-userinfo", "user and password of the URL taken as they stand", "unescaped-userinfo")
def raw_userinfo(ask: Ask, seen: Seen) -> Iterator[Ask]:
    userinfo = ask.url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    if ":" in userinfo and re.search(r"[%+]", userinfo):
        yield dataclasses.replace(ask, url=without_userinfo(ask.url), user=Secret(userinfo))


#: What the password of a token login looks like, and the user name that goes with it.
_TOKEN_USERS = (
    (r"^pypi-", "__token__"),
    (r"^gh[opsu]_|^github_pat_", "x-access-token"),
    (r"^glpat-", "oauth2"),
    (r"^ya29\.", "oauth2accesstoken"),
    (r"^ATBB", "x-token-auth"),
    (r"^eyJ[\w-]+\.eyJ.*dkr\.ecr", "AWS"),
)


@change("token-user", "the user name that goes with such a token", "wrong-user-name-for-token")
def token_user(ask: Ask, seen: Seen) -> Iterator[Ask]:
    user, _, password = (basic_pair(ask) or "").partition(":")
    for pattern, name in _TOKEN_USERS:
        if re.search(pattern, password) and user != name:
            yield with_basic(ask, f"{name}:{password}")
            return


@change("one-credential", "only one of the two credentials that were sent", "credentials-overridden")
def one_credential(ask: Ask, seen: Seen) -> Iterator[Ask]:
    held = [(n, v) for n, v in ask.fields if n.lower() == "authorization"]
    if len(held) > 1:
        yield ask.with_field(*held[0])
        yield ask.with_field(*held[1])
    elif held and ask.user:
        yield dataclasses.replace(ask, user=None, url=without_userinfo(ask.url))
        yield ask.without(["authorization"])
    if ask.get("cookie") and (held or ask.user or ask.bearer):
        yield ask.without(["cookie"])


@change("without-netrc", "without what .netrc adds", "credentials-overridden")
def without_netrc(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if any(option.startswith("netrc") for option, _ in ask.transport) and ask.has_credentials:
        kept = tuple(pair for pair in ask.transport if not pair[0].startswith("netrc"))
        yield dataclasses.replace(ask, transport=kept)


@change("one-cookie", "each of two cookies of the same name alone", "cookie-corrupted")
def one_cookie(ask: Ask, seen: Seen) -> Iterator[Ask]:
    pairs = [part.strip() for part in (ask.get("cookie") or "").split(";") if part.strip()]
    names = [pair.partition("=")[0] for pair in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is None:
        return
    for keep in (index for index, name in enumerate(names) if name == twice):
        kept = [pair for index, pair in enumerate(pairs) if names[index] != twice or index == keep]
        yield ask.with_field("Cookie", "; ".join(kept))


@change(
    "pre-emptive",
    "Basic sent at once, without waiting for a challenge",
    "missing-challenge",
    "challenge-not-answered",
)
def pre_emptive(ask: Ask, seen: Seen) -> Iterator[Ask]:
    if ask.user and ask.auth == "anyauth" and not seen.schemes:
        yield dataclasses.replace(ask, auth="basic")
