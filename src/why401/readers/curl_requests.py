"""From a command to the request that it sends, as evidence."""

from __future__ import annotations

import re

from why401.evidence import Field, Offer, Source
from why401.protocol import credentials
from why401.readers.curl_find import Found
from why401.readers.curl_parse import CurlCommand, expanded, plain, without_userinfo
from why401.readers.http_drafts import Draft
from why401.secret import Secret

#: Schemes that wait for a challenge, so that the first request carries nothing.
_WAITING = {"digest": "Digest", "ntlm": "NTLM", "negotiate": "Negotiate", "anyauth": None}


def draft_of(found: Found) -> Draft:
    """The request of a command, with what curl adds to it, and offers for what it holds back."""
    command = found.command
    draft = Draft(found.line, command.method, _url(command), command.http_version, asked=True, command=True)
    draft.client = command.tool
    source = Source("", found.line)
    for item in command.fields:
        name = expanded(item.text)
        if name is None:
            draft.fields.append(Field.of(item.name, item.text, found.line))
        else:
            draft.request_complete = False
            draft.offers += _unknown(item, name, source)
    if command.body is not None:
        draft.body.append(plain(command.body))
    if command.netrc or command.config:
        draft.request_complete = False
    draft.code_line = _code_line(command.write_out)
    draft.provenances = _provenances(command)
    draft.offers += _held_back(command, source)
    return draft


def _code_line(write_out: str | None) -> re.Pattern[str] | None:
    """What `-w` prints in the line with the status, as a pattern."""
    for part in re.split(r"\\[nr]|\n", plain(write_out or "")):
        before, code, after = re.split(r"(%\{(?:http_code|response_code)\}|\Z)", part.strip(), maxsplit=1)
        if code and (before or after):
            return re.compile(f"{_literal(before)}(?P<status>[1-5]\\d\\d){_literal(after)}")
    return None


def _literal(text: str) -> str:
    """The text as a pattern; other variables of `-w` stand for anything."""
    return r"\S*".join(re.escape(piece.replace("\\t", "\t")) for piece in re.split(r"%\{\w+\}", text))


def _url(command: CurlCommand) -> str | None:
    return plain(without_userinfo(command.url)) if command.url else None


def _provenances(command: CurlCommand) -> dict[str, str]:
    out = {item.name.lower(): "-H" for item in command.fields}
    if command.user is not None:
        by_option = command.fields.get("authorization") or ""
        encoded = by_option.lower().startswith("basic ") and "authorization" not in command.given
        out["authorization"] = (command.user_from if encoded else "-H") or "-u"
    if command.oauth2_bearer is not None and "authorization" not in command.given:
        out["authorization"] = "--oauth2-bearer"
    return out


def _unknown(item: Field, name: str, source: Source) -> list[Offer]:
    """A field whose value the shell put in: it was sent, but what stood in it is not known."""
    lower = item.name.lower()
    keyed = isinstance(item.value, Secret) or re.search(r"(?:key|token|auth|secret|session|password)$", lower)
    if lower not in ("authorization", "proxy-authorization", "cookie") and not keyed:
        return []
    scheme = None
    if lower in ("authorization", "proxy-authorization"):
        scheme = credentials.parse(plain(item.text)).scheme
    place = "cookie" if lower == "cookie" else "field"
    return [Offer(place, item.name, scheme, None, source, None, f"shell: {name}")]  # type: ignore[arg-type]


def _held_back(command: CurlCommand, source: Source) -> list[Offer]:
    """Credentials that do not go out with the first request, or not to the server."""
    out: list[Offer] = []
    if command.user is not None and command.auth in _WAITING and "authorization" not in command.given:
        user, _, password = command.user.reveal().partition(":")
        value = Secret(plain(password)) if not expanded(password) else None
        provenance = command.user_from or "-u"
        scheme = _WAITING[command.auth]
        out.append(Offer("field", "Authorization", scheme, value, source, None, provenance, plain(user)))
    if command.proxy_user is not None:
        user, _, password = command.proxy_user.reveal().partition(":")
        value = Secret(plain(password)) if not expanded(password) else None
        scheme = _WAITING.get(command.proxy_auth, "Basic")
        out.append(Offer("field", "Proxy-Authorization", scheme, value, source, None, "-U", plain(user)))
    if command.aws_sigv4 is not None and command.user is not None:
        user, _, password = command.user.reveal().partition(":")
        out.append(
            Offer(
                "field",
                "Authorization",
                "AWS4-HMAC-SHA256",
                Secret(password),
                source,
                None,
                "--aws-sigv4",
                user,
            )
        )
    if command.cert is not None:
        out.append(Offer("tls", "certificate", None, None, source, None, "--cert"))
    if command.netrc:
        out.append(Offer("field", "Authorization", "Basic", None, source, None, ".netrc"))
    return out
