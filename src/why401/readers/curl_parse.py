"""A curl command as curl understands it, from its words. Source: curl(1) and curl's tool_getparam.c."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from why401.evidence import Field, Fields
from why401.prefilter import lazy
from why401.readers import curl_options
from why401.readers.curl_shell import CLOSE, OPEN
from why401.secret import Secret

_MARKED: Final = lazy(f"{OPEN}([^{CLOSE}]*){CLOSE}")


@dataclass(frozen=True)
class CurlCommand:
    """What a command asks for. Values that the shell would have put in are between private-use marks in
    `fields`, `urls` and the secrets; `plain` shows the words, `expanded` tells whether there are any."""

    method: str = "GET"
    urls: tuple[str, ...] = field(default=(), repr=False)
    fields: Fields = field(default_factory=Fields)
    removed: frozenset[str] = frozenset()  # names given as "Name:", which take curl's own field away
    body: str | None = field(default=None, repr=False)
    body_unknown: bool = False  # from a file or standard input
    user: Secret | None = None
    auth: str = "basic"  # basic, digest, ntlm, negotiate, anyauth, bearer, aws-sigv4
    oauth2_bearer: Secret | None = None
    aws_sigv4: str | None = None
    proxy: str | None = field(default=None, repr=False)
    proxy_user: Secret | None = None
    proxy_auth: str = "basic"
    proxy_fields: Fields = field(default_factory=Fields)
    noproxy: str | None = None
    cookies: Secret | None = None
    cookie_files: tuple[str, ...] = ()
    cookie_jar: str | None = None
    cert: str | None = field(default=None, repr=False)  # may hold ":passphrase"
    key: str | None = None
    cacert: str | None = None
    insecure: bool = False
    resolve: tuple[str, ...] = ()
    connect_to: tuple[str, ...] = ()
    http_version: str | None = None
    location: bool = False
    location_trusted: bool = False
    netrc: bool = False
    netrc_file: str | None = None
    config: tuple[str, ...] = ()
    max_time: float | None = None
    connect_timeout: float | None = None
    max_redirs: int | None = None
    user_agent: str | None = None
    referer: str | None = None
    compressed: bool = False
    get: bool = False
    form: tuple[str, ...] = field(default=(), repr=False)
    upload: str | None = None
    interface: str | None = None
    ip: int | None = None  # 4 or 6
    unix_socket: str | None = None
    retry: int | None = None
    write_out: str | None = None
    include: bool = False
    verbose: bool = False
    fail: bool = False
    globoff: bool = False
    path_as_is: bool = False
    request_target: str | None = None
    explicit_method: bool = False
    several: bool = False  # `--next` begins another request, which is not read
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()  # options whose value is not there
    given: frozenset[str] = frozenset()  # names of the fields given with -H, lower-case
    user_from: str = ""  # "-u" or "url", where there is a user
    tool: str = "curl"

    @property
    def url(self) -> str | None:
        return self.urls[0] if self.urls else None


def plain(text: str) -> str:
    """`text` without the marks that the splitter put round what the shell expands."""
    return text.replace(OPEN, "").replace(CLOSE, "") if OPEN in text else text


def expanded(text: str) -> str | None:
    """The first piece that the shell would have replaced (`$TOKEN`), or None."""
    found = _MARKED.search(text)
    return found.group(1) if found else None


def parse(argv: Sequence[str]) -> CurlCommand:
    """Read curl's arguments; a first word `curl` is passed over."""
    words = list(argv)
    if words and re.fullmatch(r"(?:.*[/\\])?curl(?:\.exe)?", plain(words[0]), re.I):
        words = words[1:]
    return _Reader(words).read()


class _Reader:
    """Walks over the words; `set` maps an option to what it does."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.values: dict[str, Any] = {}
        self.many: dict[str, list[str]] = {}
        self.data: list[str] = []
        self.unknown: list[str] = []
        self.missing: list[str] = []
        self.headers: list[tuple[str, str]] = []
        self.proxy_headers: list[tuple[str, str]] = []
        self.removed: set[str] = set()

    def read(self) -> CurlCommand:
        at, only_urls = 0, False
        while at < len(self.words):
            word = self.words[at]
            at += 1
            if only_urls or not word.startswith("-") or word == "-":
                self.push("url", word)
            elif word == "--":
                only_urls = True
            elif word in ("--next", "-:"):
                self.values["several"] = True
                break
            elif word.startswith("--"):
                at = self.long(word, at)
            else:
                at = self.short(word, at)
        return self.finish()

    def push(self, name: str, value: str) -> None:
        self.many.setdefault(name, []).append(value)

    def long(self, word: str, at: int) -> int:
        name = curl_options.long_name(word[2:])
        if name is None and word.startswith("--no-"):
            name = curl_options.long_name(word[5:])
            if name is not None and name not in curl_options.VALUED:
                self.values.pop(name, None)
                return at
        if name is None and word.startswith("--expand-"):
            name = curl_options.long_name(word[9:])
        if name is None:
            self.unknown.append(plain(word).partition("=")[0])
            return at
        return self.take(name, None, at)

    def short(self, word: str, at: int) -> int:
        """`-sSfLu user:pw`: letters up to the first that takes a value, which is the rest or the next word."""
        for index, letter in enumerate(word[1:], 1):
            name = curl_options.SHORT.get(letter)
            if name is None:
                self.unknown.append("-" + letter)
                return at
            if letter in curl_options.SHORT_VALUED:
                return self.take(name, word[index + 1 :] or None, at)
            self.take(name, None, at)
        return at

    def take(self, name: str, value: str | None, at: int) -> int:
        if name not in curl_options.VALUED or name == "help":
            self.values[name] = True
            return at
        if value is None:
            if at >= len(self.words):
                self.missing.append(name)
                return at
            value, at = self.words[at], at + 1
        _SETTERS.get(name, _remember(name))(self, value)
        return at

    # -- putting it together

    def finish(self) -> CurlCommand:
        v, many = self.values, self.many
        auth = next((kind for name, kind in curl_options.AUTH.items() if v.get(name)), "basic")
        if v.get("oauth2-bearer"):
            auth = "bearer"
        if v.get("aws-sigv4"):
            auth = "aws-sigv4"
        urls = tuple(_with_scheme(u) for u in many.get("url", ()))
        body: str | None = "&".join(self.data) if self.data else None
        if v.get("get") and body is not None:
            urls, body = tuple(_with_query(u, body) for u in urls), None
        for extra in many.get("url-query", ()):
            urls = tuple(_with_query(u, extra) for u in urls)
        userinfo = _userinfo(urls[0]) if urls else None
        user = v.get("user") if v.get("user") is not None else userinfo
        cookies = [c for c in many.get("cookie", ()) if "=" in c or OPEN in c]
        return CurlCommand(
            method=self.method(body),
            urls=tuple(urls),
            fields=Fields(tuple(Field.of(n, t) for n, t in self.all_headers(body))),
            removed=frozenset(self.removed),
            body=body,
            body_unknown=bool(v.get("body-file")),
            user=Secret(user) if user is not None else None,
            auth=auth,
            oauth2_bearer=Secret(v["oauth2-bearer"]) if v.get("oauth2-bearer") else None,
            aws_sigv4=v.get("aws-sigv4"),
            proxy=v.get("proxy"),
            proxy_user=Secret(v["proxy-user"]) if v.get("proxy-user") else _proxy_userinfo(v.get("proxy")),
            proxy_auth=next((k for n, k in curl_options.PROXY_AUTH.items() if v.get(n)), "basic"),
            proxy_fields=Fields.of(self.proxy_headers),
            noproxy=v.get("noproxy"),
            cookies=Secret("; ".join(cookies)) if cookies else None,
            cookie_files=tuple(c for c in many.get("cookie", ()) if "=" not in c and OPEN not in c),
            cookie_jar=v.get("cookie-jar"),
            cert=v.get("cert"),
            key=v.get("key"),
            cacert=v.get("cacert"),
            insecure=bool(v.get("insecure")),
            resolve=tuple(many.get("resolve", ())),
            connect_to=tuple(many.get("connect-to", ())),
            http_version=next((n for o, n in curl_options.VERSIONS.items() if v.get(o)), None),
            location=bool(v.get("location") or v.get("location-trusted")),
            location_trusted=bool(v.get("location-trusted")),
            netrc=bool(v.get("netrc") or v.get("netrc-optional") or v.get("netrc-file")),
            netrc_file=v.get("netrc-file"),
            config=tuple(many.get("config", ())),
            max_time=_number(v.get("max-time")),
            connect_timeout=_number(v.get("connect-timeout")),
            max_redirs=int(_number(v.get("max-redirs")) or 0) if v.get("max-redirs") else None,
            user_agent=v.get("user-agent"),
            referer=v.get("referer"),
            compressed=bool(v.get("compressed")),
            get=bool(v.get("get")),
            form=tuple(many.get("form", ())),
            upload=v.get("upload-file"),
            interface=v.get("interface"),
            ip=4 if v.get("ipv4") else 6 if v.get("ipv6") else None,
            unix_socket=v.get("unix-socket") or v.get("abstract-unix-socket"),
            retry=int(_number(v.get("retry")) or 0) if v.get("retry") else None,
            write_out=v.get("write-out"),
            include=bool(v.get("include") or v.get("show-headers") or v.get("head")),
            verbose=bool(v.get("verbose") or v.get("trace") or v.get("trace-ascii")),
            fail=bool(v.get("fail") or v.get("fail-with-body")),
            globoff=bool(v.get("globoff")),
            path_as_is=bool(v.get("path-as-is")),
            request_target=v.get("request-target"),
            explicit_method="request" in v,
            several=bool(v.get("several")),
            unknown=tuple(self.unknown),
            missing=tuple(self.missing),
            given=frozenset(name.lower() for name, _ in self.headers),
            user_from="-u" if v.get("user") is not None else "url" if userinfo is not None else "",
        )

    def method(self, body: str | None) -> str:
        v = self.values
        if v.get("request"):
            return plain(str(v["request"])).upper()
        if v.get("head"):
            return "HEAD"
        if v.get("upload-file"):
            return "PUT"
        if (body is not None or v.get("body-file") or self.many.get("form")) and not v.get("get"):
            return "POST"
        return "GET"

    def all_headers(self, body: str | None) -> list[tuple[str, str]]:
        """The fields as sent: the given ones, then those that curl adds for them."""
        out = list(self.headers)
        given = {name.lower() for name, _ in out} | self.removed
        v = self.values
        json = "json" in v
        wanted: list[tuple[str, str | None]] = [
            ("User-Agent", v.get("user-agent")),
            ("Referer", (v.get("referer") or "").removesuffix(";auto") or None),
            ("Cookie", "; ".join(c for c in self.many.get("cookie", ()) if "=" in c or OPEN in c) or None),
            ("Authorization", self.authorization()),
            ("Content-Type", self.content_type(body, json)),
            ("Accept", "application/json" if json else None),
        ]
        return out + [(n, t) for n, t in wanted if t is not None and n.lower() not in given]

    def content_type(self, body: str | None, json: bool) -> str | None:
        if json:
            return "application/json"
        if self.many.get("form"):
            return "multipart/form-data"
        return (
            "application/x-www-form-urlencoded" if body is not None or self.values.get("body-file") else None
        )

    def authorization(self) -> str | None:
        """What curl sends without waiting for a challenge: Basic from -u or the URL, or a bearer token."""
        v = self.values
        if v.get("oauth2-bearer"):
            return f"Bearer {v['oauth2-bearer']}"
        if any(v.get(name) for name in curl_options.AUTH if name != "basic") or v.get("aws-sigv4"):
            return None
        urls = self.many.get("url", ())
        user = (
            v.get("user")
            if v.get("user") is not None
            else (_userinfo(_with_scheme(urls[0])) if urls else None)
        )
        if not user:
            return None
        if OPEN in user:
            return f"Basic {user}"
        both = user if ":" in user else user + ":"
        return "Basic " + base64.b64encode(both.encode("utf-8", "surrogateescape")).decode()


Setter = Callable[[_Reader, str], None]


def _remember(name: str) -> Setter:
    def setter(reader: _Reader, value: str) -> None:
        reader.values[name] = value

    return setter


def _gather(name: str) -> Setter:
    def setter(reader: _Reader, value: str) -> None:
        reader.push(name, value)

    return setter


def _header(reader: _Reader, value: str) -> None:
    """`Name: value` sets, `Name:` takes curl's own away, `Name;` sends it empty, `@file` reads a file."""
    if value.startswith("@"):
        reader.push("config", value[1:])
        return
    name, colon, text = value.partition(":")
    if colon and text.strip():
        reader.headers.append((plain(name).strip(), text.strip(" \t")))
    elif colon:
        reader.removed.add(plain(name).strip().lower())
    elif name.endswith(";"):
        reader.headers.append((plain(name[:-1]).strip(), ""))
    else:
        reader.unknown.append("-H without a colon")


def _proxy_header(reader: _Reader, value: str) -> None:
    name, colon, text = value.partition(":")
    if colon:
        reader.proxy_headers.append((plain(name).strip(), text.strip(" \t")))


def _data(reader: _Reader, value: str) -> None:
    if value.startswith("@"):
        reader.values["body-file"] = value[1:]
    else:
        reader.data.append(value)


def _raw(reader: _Reader, value: str) -> None:
    reader.data.append(value)


def _urlencoded(reader: _Reader, value: str) -> None:
    """`content`, `=content`, `name=content`; with `@` the content is a file's."""
    name, equals, content = value.partition("=")
    if not equals:
        if "@" in value:
            reader.values["body-file"] = value.rpartition("@")[2]
            return
        name, content = "", value
    reader.data.append((name + "=" if name else "") + quote(content, safe="-._~" + OPEN + CLOSE))


def _json(reader: _Reader, value: str) -> None:
    reader.values["json"] = True
    _data(reader, value)


_SETTERS: Final[dict[str, Setter]] = {
    "header": _header,
    "proxy-header": _proxy_header,
    "data": _data,
    "data-ascii": _data,
    "data-binary": _data,
    "data-raw": _raw,
    "data-urlencode": _urlencoded,
    "json": _json,
    "cookie": _gather("cookie"),
    "form": _gather("form"),
    "form-string": _gather("form"),
    "url": _gather("url"),
    "url-query": _gather("url-query"),
    "resolve": _gather("resolve"),
    "connect-to": _gather("connect-to"),
    "config": _gather("config"),
}


def _with_scheme(url: str) -> str:
    """curl takes `http://` where no scheme is given."""
    if "://" in url or url.startswith(OPEN):
        return url
    return "http://" + url


def _with_query(url: str, query: str) -> str:
    base, mark, fragment = url.partition("#")
    return base + ("&" if "?" in base else "?") + query + mark + fragment


def _userinfo(url: str) -> str | None:
    """`user:password` of the URL, percent-decoded."""
    try:
        netloc = urlsplit(url).netloc
    except ValueError:
        return None
    before, at, _ = netloc.rpartition("@")
    return unquote(before) if at else None


def _proxy_userinfo(proxy: str | None) -> Secret | None:
    found = _userinfo(proxy if "://" in proxy else "http://" + proxy) if proxy else None
    return Secret(found) if found else None


def without_userinfo(url: str) -> str:
    """The URL without `user:password@`, as it goes over the wire."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if "@" in parts.netloc else url


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
