"""Challenges: the grammar of WWW-Authenticate and Proxy-Authenticate (RFC 9110, sections 11.3 and 11.6.1).

    WWW-Authenticate = #challenge
    challenge        = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
    auth-param       = token BWS "=" BWS ( token / quoted-string )

A list within a list: a comma may part two parameters or two challenges, and only what follows tells
which. `token BWS "="` begins a parameter, any other token begins a challenge. The traps:

    Basic, realm="x"      no SP after the scheme, so `realm=` belongs to nobody: invalid
    Basic , realm="x"     an empty first element of Basic's list: valid
    Bearer realm=         a token68, for token68 may end in "="
    a b, c                a challenge with a token68, and a bare scheme

This is the *recipient's* grammar (section 5.6.1.2): empty list elements are accepted, and so are bad
whitespace and obsolete line folding. Rules of a single scheme (Basic needs a realm) are in `faults`.
Linear: each position is looked at a bounded number of times; the quantifiers are possessive.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

from .problems import Problem, Span

_TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
_TOKEN = re.compile(f"[{_TCHAR}]++")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]++=*+(?=[ \t]*(?:,|\Z))")
_NAME = re.compile(f"([{_TCHAR}]++)[ \t]*+=[ \t]*+")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.S)
_SEPARATORS = re.compile(r"[ \t,]*+")
_SPACE = re.compile(r"[ \t]*+")
# Up to the next comma that no quotes hide; an unterminated quote runs to the end.
_JUNK = re.compile(r'(?:"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[^,"])*+', re.S)
_WORDS = re.compile(r'[^,"=]*+(?=,|\Z)')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_ESCAPE = re.compile(r"\\(.)", re.S)

# IANA "HTTP Authentication Schemes", then what is met in the wild without registration.
KNOWN_SCHEMES: dict[str, str] = {
    "basic": "RFC 7617",
    "bearer": "RFC 6750",
    "concealed": "RFC 9729",
    "digest": "RFC 7616",
    "dpop": "RFC 9449",
    "gnap": "RFC 9635",
    "hoba": "RFC 7486",
    "mutual": "RFC 8120",
    "negotiate": "RFC 4559",
    "oauth": "RFC 5849",
    "privatetoken": "RFC 9577",
    "scram-sha-1": "RFC 7804",
    "scram-sha-256": "RFC 7804",
    "vapid": "RFC 8292",
    "ntlm": "Microsoft MS-NLMP, not registered",
    "kerberos": "not registered; Negotiate is the usual name",
    "aws4-hmac-sha256": "AWS Signature Version 4, not registered",
    "aws4-ecdsa-p256-sha256": "AWS Signature Version 4A, not registered",
    "aws": "AWS Signature Version 2, not registered",
    "token": "Rails, Django REST framework, GitHub; not registered",
    "apikey": "Elastic and others, not registered",
    "api-key": "not registered",
    "sharedkey": "Azure Storage, not registered",
    "sharedkeylite": "Azure Storage, not registered",
    "sharedaccesssignature": "Azure Service Bus, not registered",
    "hawk": "Mozilla Hawk, not registered",
    "jwt": "Django REST framework JWT, not registered",
    "goog4-rsa-sha256": "Google Cloud Storage, not registered",
    "googlelogin": "Google ClientLogin, not registered",
    "wsse": "UsernameToken, not registered",
    "xbasic": "Basic under a name that keeps the browser's dialogue away",
    "x-basic": "Basic under a name that keeps the browser's dialogue away",
    "formbased": "a login form under a name that keeps the browser's dialogue away",
    "cookie": "a session cookie; not registered",
    "session": "not registered",
    "splunk": "Splunk, not registered",
    "tsrapi": "not registered",
    "zoho-oauthtoken": "Zoho, not registered",
    "signature": "the draft before RFC 9421, not registered",
    "snowflake": "Snowflake, not registered",
    "genie-key": "Opsgenie, not registered",
    "key": "Fal, FCM (as key=) and others; not registered",
    "bot": "Discord, not registered",
    "passport1.4": "Microsoft Passport, not registered",
    "client-token": "not registered",
    "pat": "not registered",
}

# The parameters without which a challenge of this scheme cannot be answered.
_NEEDED: dict[str, tuple[tuple[str, str], ...]] = {
    "basic": (("realm", "RFC 7617, section 2"),),
    "digest": (("realm", "RFC 7616, section 3.3"), ("nonce", "RFC 7616, section 3.3")),
}


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: a scheme as written, and either a token68 or parameters (names lower-cased)."""

    scheme: str
    token68: str | None
    params: dict[str, str]
    span: Span
    field: int = 0
    param_spans: dict[str, Span] = attribute(default_factory=dict)

    @property
    def name(self) -> str:
        """The scheme for comparison: scheme names ignore case (RFC 9110, section 11.1)."""
        return self.scheme.lower()


@dataclass(frozen=True, slots=True)
class Challenges:
    challenges: tuple[Challenge, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, scheme: str) -> tuple[Challenge, ...]:
        """The challenges of one scheme, in the order they came."""
        wanted = scheme.lower()
        return tuple(c for c in self.challenges if c.name == wanted)


def parse(field_values: Sequence[str]) -> Challenges:
    """Read all field values of one WWW-Authenticate or Proxy-Authenticate."""
    challenges: list[Challenge] = []
    problems: list[Problem] = []
    for index, value in enumerate(field_values):
        found = _Field(value, index)
        found.read()
        challenges += found.challenges
        problems += found.problems
    return Challenges(tuple(challenges), tuple(problems))


def faults(challenge: Challenge) -> tuple[Problem, ...]:
    """What the grammar allows but the scheme forbids."""
    out = [
        Problem(
            "missing-parameter",
            challenge.span,
            f"A {challenge.scheme} challenge needs {name} ({where}).",
            challenge.field,
        )
        for name, where in _NEEDED.get(challenge.name, ())
        if name not in challenge.params
    ]
    charset = challenge.params.get("charset")
    if challenge.name in ("basic", "digest") and charset is not None and charset.lower() != "utf-8":
        out.append(
            Problem(
                "charset-not-utf-8",
                challenge.param_spans.get("charset", challenge.span),
                "The only charset that may be named is UTF-8 (RFC 7617, section 2.1).",
                challenge.field,
            )
        )
    if challenge.name not in KNOWN_SCHEMES:
        says = f"{challenge.scheme} is not a scheme that is registered or commonly met."
        out.append(Problem("unknown-scheme", challenge.span, says, challenge.field))
    return tuple(out)


def quote(value: str) -> str:
    """A quoted-string (RFC 9110, section 5.6.4)."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(value: str) -> str:
    """The inside of a quoted-string without its escapes."""
    return _ESCAPE.sub(r"\1", value) if "\\" in value else value


def write(challenge: Challenge) -> str:
    """The challenge as a field value, every parameter quoted."""
    if challenge.token68 is not None:
        return f"{challenge.scheme} {challenge.token68}"
    params = ", ".join(f"{name}={quote(value)}" for name, value in challenge.params.items())
    return f"{challenge.scheme} {params}" if params else challenge.scheme


class _Field:
    """One field value while it is being read: a cursor and what has been found."""

    def __init__(self, text: str, index: int) -> None:
        # Folding becomes spaces of the same length, so that spans stay true (RFC 9112, section 5.2).
        self.text = _FOLD.sub(lambda fold: " " * len(fold.group()), text)
        self.index = index
        self.at = 0
        self.challenges: list[Challenge] = []
        self.problems: list[Problem] = []
        self.open = False  # may parameters be added to the last challenge?

    def complain(self, kind: str, start: int, end: int, says: str) -> None:
        self.problems.append(Problem(kind, (start, end), says, self.index))

    def skip(self, what: re.Pattern[str]) -> int:
        match = what.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return self.at

    def read(self) -> None:
        while self.skip(_SEPARATORS) < len(self.text):
            name = _NAME.match(self.text, self.at)
            if name:
                self.orphan_or_param(name)
            elif token := _TOKEN.match(self.text, self.at):
                self.challenge(token)
            else:
                self.junk("neither a scheme nor a parameter begins here")

    def orphan_or_param(self, name: re.Match[str]) -> None:
        if not self.challenges:
            says = f"{name.group(1)}= is a parameter, but no scheme stands before it."
            self.complain("no-scheme", name.start(), name.end(), says)
        elif not self.open:
            last = self.challenges[-1]
            why = (
                "has a token68 already" if last.token68 is not None else "is followed by a comma, not a space"
            )
            says = f"The parameter {name.group(1)} belongs to no challenge: {last.scheme} {why}."
            self.complain("orphan-parameter", name.start(), name.end(), says)
        self.param(name)

    def challenge(self, scheme: re.Match[str]) -> None:
        self.at = scheme.end()
        token68: str | None = None
        rest = self.skip(_SPACE)
        gap = self.text[scheme.end() : rest]
        self.open = " " in gap
        if "\t" in gap and self.text[rest : rest + 1] not in ("", ","):
            self.complain(
                "tab-after-scheme", scheme.end(), rest, "Only spaces may follow the scheme, no tab."
            )
            self.open = True
        if gap and (match := _TOKEN68.match(self.text, rest)):
            token68, self.at, self.open = match.group(), match.end(), False
        self.challenges.append(Challenge(scheme.group(), token68, {}, (scheme.start(), self.at), self.index))
        if token68 is None and self.text[self.at : self.at + 1] not in ("", ","):
            self.first_param(bool(gap))

    def first_param(self, spaced: bool) -> None:
        name = _NAME.match(self.text, self.at) if spaced else None
        if name:
            self.param(name)
        else:
            self.junk(f"what follows {self.challenges[-1].scheme} is neither a token68 nor name=value")

    def param(self, name: re.Match[str]) -> None:
        self.at = name.end()
        value = self.value(name)
        if value is None:
            return
        self.add(name, value)
        end = self.at
        if self.skip(_SPACE) < len(self.text) and self.text[self.at] != ",":
            self.after_value(name, end)

    def after_value(self, name: re.Match[str], end: int) -> None:
        """Something stands where a comma or the end was due."""
        if _NAME.match(self.text, self.at) and self.at > end:
            self.complain("missing-comma", end, self.at, "A comma is missing between two parameters.")
            return
        words = _WORDS.match(self.text, self.at)
        if words and words.end() > self.at and self.at > end and self.text[end - 1] != '"':
            says = f"The value of {name.group(1)} has spaces and so must be quoted."
            self.complain("unquoted-spaces", name.end(), words.end(), says)
            self.add(name, self.text[name.end() : words.end()].rstrip(), anew=True)
            self.at = words.end()
            return
        self.junk(f"this cannot follow the value of {name.group(1)}")

    def value(self, name: re.Match[str]) -> str | None:
        start = self.at
        if self.text[start : start + 1] == '"':
            return self.quoted(name)
        if token := _TOKEN.match(self.text, start):
            self.at = token.end()
            return token.group()
        if self.text[start : start + 1] in ("", ","):
            says = f'{name.group(1)} has no value; an empty one is written "".'
            self.complain("no-value", name.start(), start, says)
            return None
        self.junk(f"the value of {name.group(1)} is neither a token nor quoted")
        return None

    def quoted(self, name: re.Match[str]) -> str:
        start = self.at
        match = _QUOTED.match(self.text, start)
        if match is None:
            says = f"The quotes round the value of {name.group(1)} are never closed."
            self.complain("unterminated-quote", start, len(self.text), says)
            self.at = len(self.text)
            return unquote(self.text[start + 1 :])
        if control := _CONTROL.search(self.text, match.start(1), match.end(1)):
            says = f"The value of {name.group(1)} has a control character."
            self.complain("control-character", control.start(), control.end(), says)
        self.at = match.end()
        return unquote(match.group(1))

    def add(self, name: re.Match[str], value: str, *, anew: bool = False) -> None:
        if not self.challenges:
            return
        last, key = self.challenges[-1], name.group(1).lower()
        if key in last.params and not anew:
            says = f"{key} stands twice in one challenge; each name may stand once (RFC 9110, section 11.2)."
            self.complain("duplicate-parameter", name.start(), self.at, says)
            return
        last.params[key] = value
        last.param_spans[key] = (name.start(), self.at)
        span = (last.span[0], self.at)
        self.challenges[-1] = Challenge(
            last.scheme, last.token68, last.params, span, last.field, last.param_spans
        )

    def junk(self, why: str) -> None:
        start = self.at
        self.skip(_JUNK)
        self.at = max(self.at, start + 1)
        self.complain("junk", start, self.at, f"Not a challenge: {why}.")
