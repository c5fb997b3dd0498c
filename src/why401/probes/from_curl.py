"""A curl command as a request to send. Files that it names are read here, as curl would read them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from why401.probes.ask import Ask, without_userinfo
from why401.probes.jar import JarCookie, jar_cookies, why_kept
from why401.readers.curl_parse import CurlCommand, expanded, parse, plain
from why401.secret import Secret


class Unsendable(ValueError):
    """The command cannot be sent as it stands; the message is one sentence: what, where and what to do."""


def ask_of(words: Sequence[str], *, follow: bool | None = None) -> Ask:
    """The request of a curl command line. `follow` None follows redirects only with `-L`, as curl does.

    Raises Unsendable.
    """
    command = parse(words)
    _refuse(command)
    url = str(command.url)
    body = command.body.encode("utf-8", "surrogateescape") if command.body is not None else None
    if command.body_unknown:
        body = _body_file(words)
    fields = tuple(_fields(command))
    return Ask(
        url=url,
        method=command.method,
        fields=fields,
        body=body,
        user=command.user,
        auth=command.auth,
        bearer=command.oauth2_bearer,
        aws_sigv4=command.aws_sigv4 or "",
        follow=command.location if follow is None else follow,
        trusted=command.location_trusted,
        transport=tuple(_transport(command)),
        removed=tuple(sorted(command.removed)),
        kept=tuple(_kept_cookies(command)),
    )


def _refuse(command: CurlCommand) -> None:
    if not command.url:
        raise Unsendable("The curl command names no URL; add the URL that fails.")
    if command.missing:
        raise Unsendable(f"--{command.missing[0]} needs a value; put it after the option.")
    if command.form:
        raise Unsendable("A multipart form (-F) is not sent by why401; paste the output of curl -v instead.")
    for text in (command.url, command.body or "", *(field.text for field in command.fields)):
        if (name := expanded(text)) is not None:
            raise Unsendable(
                f"{plain(name)} would be filled in by a shell; type the command without quoting it."
            )


def _fields(command: CurlCommand) -> Iterator[tuple[str, str]]:
    derived = _derived(command)
    for item in command.fields:
        if item.name.lower() != "authorization" or item.text not in derived:
            yield item.name, item.text
    for name in command.cookie_files:
        cookies = "; ".join(f"{c.name}={c.value}" for c in _jar(name) if not why_kept(c, str(command.url)))
        if cookies:
            yield "Cookie", cookies


def _derived(command: CurlCommand) -> set[str]:
    """What curl itself makes of -u and of --oauth2-bearer: libcurl adds it, so it is no field of the request."""
    found = set()
    if command.user is not None and command.auth == "basic":
        both = command.user.reveal()
        both = both if ":" in both else both + ":"
        found.add("Basic " + base64.b64encode(both.encode("utf-8", "surrogateescape")).decode())
    if command.oauth2_bearer is not None:
        found.add(f"Bearer {command.oauth2_bearer.reveal()}")
    return found


def _kept_cookies(command: CurlCommand) -> Iterator[tuple[str, str]]:
    """The cookies of `-b FILE` that do not go to the URL: name, and why not in words."""
    for cookie in (cookie for name in command.cookie_files for cookie in _jar(name)):
        if why := why_kept(cookie, str(command.url)):
            yield cookie.name, why


def _jar(name: str) -> list[JarCookie]:
    return jar_cookies(_text(Path(name), "the cookie file"))


def _body_file(words: Sequence[str]) -> bytes:
    """The body that an option such as `--data @file` names."""
    for option, value in zip(words, [*words[1:], ""], strict=True):
        if option.startswith(("-d", "--data", "--json")) and "@" in f"{option[2:]}{value}"[:1] + value[:1]:
            name = value[1:] if value.startswith("@") else option[3:]
            raw = _bytes(Path(name), "the body")
            return raw if "binary" in option else raw.replace(b"\r", b"").replace(b"\n", b"")
        if option in ("-T", "--upload-file"):
            return _bytes(Path(value), "the upload")
    raise Unsendable("The body comes from a place that cannot be read; give it with --data-binary @FILE.")


def _bytes(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Unsendable(f"{path}: {what} cannot be read ({problem.strerror}); check the name.") from None


def _text(path: Path, what: str) -> str:
    return _bytes(path, what).decode("utf-8", "replace")


#: What of a command says how to reach the server: curl's long option and its value where it is given.
_TRANSPORT: tuple[tuple[str, Callable[[CurlCommand], str | None]], ...] = (
    ("proxy", lambda c: c.proxy),
    ("proxy-user", lambda c: c.proxy_user.reveal() if c.proxy_user else None),
    ("noproxy", lambda c: c.noproxy),
    ("cert", lambda c: c.cert),
    ("key", lambda c: c.key),
    ("cacert", lambda c: c.cacert),
    ("insecure", lambda c: "" if c.insecure else None),
    ("resolve", lambda c: "\n".join(c.resolve) or None),
    ("connect-to", lambda c: "\n".join(c.connect_to) or None),
    ("max-time", lambda c: str(c.max_time) if c.max_time else None),
    ("connect-timeout", lambda c: str(c.connect_timeout) if c.connect_timeout else None),
    ("interface", lambda c: c.interface),
    ("unix-socket", lambda c: c.unix_socket),
    ("path-as-is", lambda c: "" if c.path_as_is else None),
    ("request-target", lambda c: c.request_target),
    ("proxy-header", lambda c: "\n".join(f"{f.name}: {f.text}" for f in c.proxy_fields) or None),
    ("netrc-file", lambda c: c.netrc_file),
    ("netrc-optional", lambda c: "" if c.netrc and not c.netrc_file else None),
)


def _transport(command: CurlCommand) -> Iterator[tuple[str, str]]:
    for option, value_of in _TRANSPORT:
        value = value_of(command)
        if value is not None:
            yield option, value
    if command.proxy_auth != "basic":
        yield f"proxy-{command.proxy_auth}", ""
    if command.ip:
        yield f"ipv{command.ip}", ""
    if command.http_version:
        yield (
            {"1.0": "http1.0", "1.1": "http1.1", "2": "http2", "3": "http3"}.get(
                command.http_version.removeprefix("HTTP/"), command.http_version
            ),
            "",
        )


def simple(url: str, user: Secret | None = None) -> Ask:
    """A plain GET of a URL, redirects followed."""
    return Ask(url, user=user) if user else Ask(without_userinfo(url) if "@" not in url else url)
