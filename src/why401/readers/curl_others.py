"""HTTPie, wget and PowerShell commands, told as the curl command that would do the same."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from why401.prefilter import lazy
from why401.readers.curl_parse import CurlCommand, parse, plain
from why401.readers.curl_shell import marked


def _set(words: str) -> frozenset[str]:
    """The words of a text, for tables that read as text."""
    return frozenset(words.split())


_METHOD: Final = lazy(r"[A-Z]{3,10}$")
_HTTPIE_VALUED: Final = _set(
    """
    -a --auth -A --auth-type -o --output --session --session-read-only --proxy --timeout --verify --cert
    --cert-key --print -p --style -s --pretty --boundary --raw --max-redirects --ssl --ciphers
    --format-options
    """
)


def httpie(argv: Sequence[str]) -> CurlCommand | None:
    """`http -a user:pw POST host/path field=x Header:value query==q raw:=1`. Source: HTTPie's manual."""
    scheme = "https://" if argv[0] == "https" else "http://"
    words, options, flags = list(argv[1:]), {}, set()
    rest: list[str] = []
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if name in _HTTPIE_VALUED:
            options[name] = value if equals else words.pop(0) if words else ""
        elif word.startswith("-") and len(word) > 1:
            flags.add(word)
        else:
            rest.append(word)
    method = rest.pop(0) if rest and _METHOD.match(rest[0]) else None
    if not rest:
        return None
    out = ["curl", _httpie_url(rest.pop(0), scheme)]
    out += _httpie_auth(options)
    out += _httpie_items(rest, bool({"-f", "--form"} & flags), options.get("--raw"))
    if method:
        out += ["-X", method]
    if {"-F", "--follow"} & flags:
        out.append("-L")
    if options.get("--verify") in ("no", "false"):
        out.append("-k")
    if options.get("--proxy"):
        out += ["-x", options["--proxy"].partition(":")[2]]
    verbose = bool({"-v", "--verbose", "-vv"} & flags)
    return replace(parse(out), tool="httpie", verbose=verbose, include=True)


def _httpie_url(word: str, scheme: str) -> str:
    if word.startswith(":"):
        port = re.match(r":(\d*)", word)
        return "http://localhost" + (word if port and port[1] else word[1:])
    return word if "://" in word else scheme + word


def _httpie_auth(options: dict[str, str]) -> list[str]:
    user = options.get("-a") or options.get("--auth")
    kind = options.get("-A") or options.get("--auth-type") or "basic"
    if user is None:
        return []
    if kind == "bearer":
        return ["--oauth2-bearer", user]
    return ["-u", user, *([f"--{kind}"] if kind in ("digest", "ntlm", "negotiate") else [])]


def _httpie_items(items: list[str], form: bool, raw: str | None) -> list[str]:
    out: list[str] = []
    members: dict[str, object] = {}
    for item in items:
        found = re.match(r"([^:=@]*?)(==|:=|=@|=|:|@)(.*)$", item, re.S)
        if found is None:
            continue
        name, sign, value = found.groups()
        if sign == ":":
            out += ["-H", f"{name}: {value}" if value else f"{name}:"]
        elif sign == "==":
            out += ["--url-query", f"{name}={value}"]
        elif sign in ("=", ":="):
            members[name] = value
    if raw is not None:
        out += ["--data-raw", raw]
    elif members and form:
        for name, value in members.items():
            out += ["--data-urlencode", f"{name}={value}"]
    elif members:
        out += ["--json", json.dumps(members)]
    return out


_WGET_VALUED: Final = _set(
    """
    O output-document o output-file a append-output t tries T timeout U user-agent e execute P
    directory-prefix i input-file w wait B base l level A accept R reject D domains header user password
    http-user http-password proxy-user proxy-password post-data post-file method body-data body-file
    referer certificate private-key ca-certificate load-cookies save-cookies max-redirect
    """
)
_WGET_SAME: Final = {
    "header": "-H", "user-agent": "-A", "U": "-A", "referer": "-e", "post-data": "-d", "body-data": "--data-raw",
    "method": "-X", "certificate": "--cert", "private-key": "--key", "ca-certificate": "--cacert",
    "load-cookies": "-b",
}  # fmt: skip


def wget(argv: Sequence[str]) -> CurlCommand | None:
    """wget sends Basic only after a challenge unless `--auth-no-challenge`. Source: wget(1)."""
    words, options = list(argv[1:]), {}
    out, urls = ["curl", "-L"], []
    while words:
        word = words.pop(0)
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals and name in _WGET_VALUED and words:
                value = words.pop(0)
            options[name] = value
            if name in _WGET_SAME:
                out += [_WGET_SAME[name], value]
        elif word.startswith("-") and len(word) > 1:
            if word[-1] in _WGET_VALUED and len(word) == 2 and words:
                value = words.pop(0)
                out += [_WGET_SAME[word[-1]], value] if word[-1] in _WGET_SAME else []
            options[word] = ""
        else:
            urls.append(word)
    if not urls:
        return None
    user = options.get("http-user") or options.get("user")
    password = options.get("http-password") or options.get("password") or ""
    if user:
        out += ["-u", f"{user}:{password}"]
    waits = (
        user or "@" in urls[0].partition("://")[2].partition("/")[0]
    ) and "auth-no-challenge" not in options
    if waits:
        out.append("--anyauth")
    if "proxy-user" in options:
        out += ["-U", f"{options['proxy-user']}:{options.get('proxy-password', '')}"]
    if "no-check-certificate" in options:
        out.append("-k")
    return replace(parse([*out, *urls]), tool="wget", include="server-response" in options or "-S" in options)


_PS_HEADER: Final = lazy(
    r"""["']?([A-Za-z][\w-]*)["']?\s*=\s*(?:"((?:[^"`]|`.|"")*)"|'([^']*)'|([^;}\s]+))"""
)


def powershell(argv: Sequence[str]) -> CurlCommand | None:
    """`Invoke-RestMethod -Uri … -Method Post -Headers @{…} -Body …`; -Credential waits for a challenge."""
    words = list(argv[1:])
    out = ["curl", "-L"]
    urls: list[str] = []
    while words:
        word = words.pop(0)
        name = word.lower().rstrip(":")
        if name in ("-uri", "-u", "-ur") and words:
            urls.append(words.pop(0))
        elif name == "-method" and words:
            out += ["-X", words.pop(0).upper()]
        elif name == "-headers" and words:
            for found in _PS_HEADER.finditer(words.pop(0)):
                text = found[2] if found[2] is not None else found[3] or found[4] or ""
                out += ["-H", f"{found[1]}: {marked(text) if found[3] is None else text}"]
        elif name == "-body" and words:
            out += ["--data-raw", words.pop(0)]
        elif name == "-contenttype" and words:
            out += ["-H", f"Content-Type: {words.pop(0)}"]
        elif name == "-proxy" and words:
            out += ["-x", words.pop(0)]
        elif name == "-skipcertificatecheck":
            out.append("-k")
        elif name == "-usedefaultcredentials":
            out += ["-u", ":", "--negotiate"]
        elif (
            name in ("-credential", "-websession", "-outfile", "-certificate", "-authentication", "-token")
            and words
        ):
            words.pop(0)
        elif not word.startswith("-") and (not urls and re.match(r"https?:|\ue000", word)):
            urls.append(word)
    return replace(parse([*out, *urls]), tool="PowerShell") if urls and plain(urls[0]) else None
