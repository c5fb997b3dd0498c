"""Checks of the code that makes a Basic credential: encoders that wrap lines, and values that lack their scheme.

RFC 2045 wraps base64 at 76 columns for mail, PEM at 64; many libraries do so by default, and a header that is
longer than one line breaks. A short user and password fit on the first line, so that only long ones fail.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, every, sent, troubled, where
from why401.evidence import Evidence, Text
from why401.findings import CLEAR, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

#: Encoders that break their output into lines → what they are.
_WRAPS: tuple[tuple[str, str], ...] = (
    (r"NSDataBase64Encoding(?:64|76)CharacterLineLength|\.lineLength(?:64|76)Characters|EncodingEndLineWith", "Foundation's encoder with a line length"),
    (r"encodeBase64Chunked|encodeBase64\([^()\n]*,\s*true\)|getMimeEncoder|BASE64Encoder\b|Base64\.(?:DEFAULT|CRLF)\b|MimeUtility\.encode", "this encoder of Java, made for mail"),
    (r"TNetEncoding\.Base64\.Encode|TBase64Encoding\.Create\((?!0)|bin\.base64|nodeTypedValue|InsertLineBreaks", "this encoder, which breaks lines by default"),
    (r"\bencode_base64\(\s*[^,()\n]+(?:\([^()\n]*\))?\s*\)", "Perl's encode_base64 without an empty second argument"),
    (r"Base64\.encode64\(|\.pack\(\s*['\"]m\*?['\"]\s*\)", "Ruby's encode64"),
    (r"encodebytes\(|encodestring\(|\.encode\(\s*['\"]base64['\"]\s*\)|codecs\.encode\([^()\n]*,\s*['\"]base64", "this encoder of Python, made for mail"),
    (r"utl_encode\.base64_encode|\bTO_BASE64\s*\(|encode\([^()\n]*,\s*'base64'\s*\)", "the database's encoder"),
    (r"\(base64-encode-string\s+(?:[^()\n]|\([^()\n]*\))*\)(?<! t\))|::base64::encode\s+(?!-maxlen)|base64::encode \[", "this encoder, which breaks lines by default"),
    (r"\bopenssl (?:enc\s+-)?base64\b(?![^\n|)`]*\s-A\b)(?![^\n]*(?:tr\s+-d|paste\s+-s))", "openssl base64 without -A"),
    (r"BIO_f_base64(?![\s\S]{0,600}NO_NL)|uuencode -m|chunk_split\(\s*base64|encodeBase64\(true\)", "this encoder, which breaks lines by default"),
)  # fmt: skip
_SHELL_ENCODER = lazy(r"\|[ \t]*(?:/usr/bin/)?base64(?:[ \t]+-[^w\s]\w*)*[ \t]*(?:[)`\"']|$)", re.M)
_MADE_FOR_AUTH = lazy(r"auth|basic|cred|token|login|passw|header|b64|secret|key", re.I)
_STRIPPED = lazy(
    r"tr -d|replace\w*\(\s*[\"'/]\\?\\?[rn]|gsub\(|\.(?:strip|chomp|trim|delete)\b|NO_WRAP|StringByReplacing|stringByReplacing|rstrip",
    re.I,
)
_LONG_FAILS = (
    r"\b(?:long(?:er)?|\d{2,3}[- ]?(?:char(?:acter)?s?|digit|symbol|letter)s?)\b[^.\n]{0,60}\b(?:password|token|secret|key|user ?name|credentials?|pass ?phrase)s?\b"
    r"|\b(?:password|token|secret|key|user ?name|credentials?|pass ?phrase)s?\b[^.\n]{0,60}\b(?:long(?:er)?|longer than|more than|over|exceeds?|at least|of)\b[^.\n]{0,15}\b(?:\d{2,3} )?(?:char(?:acter)?s?|letters|bytes|symbols|digits)"
    r"|\bshort(?:er)?\b[^.\n]{0,30}\b(?:password|token|secret|key|user ?name|one)s?\b[^.\n]{0,40}\b(?:works?|fine|ok|succe|accepted)"
)
_SHORT_WORKS = r"\bshort(?:er)?\b|\b(?:long(?:er)?|length)\b|\b\d{2,3}[- ](?:char|symbol|letter|digit|byte)"


@check
def wrapping_encoder(evidence: Evidence) -> Iterator[Finding]:
    """An encoder that breaks base64 into lines, in a program that sends Basic credentials."""
    if not troubled(evidence):
        return
    told = tuple(text for text in evidence.texts if text.kind != "code")
    long_ones = where(dataclasses.replace(evidence, texts=told), _LONG_FAILS)
    for text in evidence.texts:
        found = _encoder(text)
        if not found:
            continue
        who, start, sure = found
        weight = 18.0 if sure else 12.0
        if long_ones or _too_long(evidence):
            weight += 5.0
        says = f"The credential is encoded by {who}, which breaks it into lines once it is long."
        weights = {
            "bad-base64": weight,
            "stray-whitespace": HINT,
            "malformed-authorization": 3.0,
            "wrong-password": -4.0,
        }
        yield Finding(
            "encoder-wraps",
            says,
            weights,
            Where.of(text.source.at(text.line_at(start))),
            group="made-bad-base64",
        )
        return
    if long_ones and where(evidence, r"base64|\bbasic\b|authoriz"):
        says = (
            "Long credentials are refused where short ones are taken, as by an encoder that wraps its lines."
        )
        weights = {"bad-base64": CLEAR, "mangled-in-config": 4.0}
        yield Finding("long-ones-fail", says, weights, long_ones[1], group="long-ones")


def _encoder(text: Text) -> tuple[str, int, bool] | None:
    """The encoder, where it stands, and whether it wraps whatever the platform."""
    for pattern, who in _WRAPS:
        match = text.find(pattern, stop=LOOKED_AT)
        if match and not _STRIPPED.search(text.content, match.start(), match.end() + 120):
            return who, match.start(), True
    for match in _SHELL_ENCODER.finditer(text.content, 0, LOOKED_AT):
        start = text.content.rfind("\n", 0, match.start()) + 1
        if _MADE_FOR_AUTH.search(text.content, start, match.start()):
            return "GNU base64 without -w0", match.start(), False
    return None


def _too_long(evidence: Evidence) -> bool:
    """Are a user and a secret configured that make more than a line of base64 (57 bytes to 76 columns)?"""
    users = [len(s.text) for s in evidence.settings if re.search(r"(?i)user|login|e?mail|id$", s.key)]
    secrets = [len(s.text) for s in evidence.settings if re.search(r"(?i)pass|token|secret|key", s.key)]
    return bool(users and secrets) and max(users) + 1 + max(secrets) > 57


_ENCODES_PAIR = lazy(
    r"(?:toString\(\s*['\"`]base64['\"`]\s*\)|\bbtoa\(|b64encode\(|base64_encode\(|encodeToString\(|encodeBase64\w*\(|ToBase64String\("
    r"|EncodeToString\(|strict_encode64\(|encode64\(|base64Encode\w*|base64EncodedString|Base64\.encode\(|base64\.encode\()",
    re.I,
)
_SETS_FIELD = lazy(
    r"[\"'`]?\bAuthorization[\"'`]?\]?\s*(?:=>|[:=,])\s*(?![\"'`f]*(?:Basic|Bearer|Token|Digest)\b)[\w$@(&]|forHTTPHeaderField:\s*@?\"Authorization\"",
)
_ANY_SCHEME = lazy(
    r"[\"'`]\s*(?:Basic|Bearer|Token|Digest|AWS4|ApiKey|SharedKey|Negotiate)\b|\bBasic |AuthenticationHeaderValue|BasicAuth",
    re.I,
)
_PAIR_WORDS = lazy(
    r"(?:user(?:name)?|login|email|client_?id|api_?key)\b[^\n]{0,40}:[^\n]{0,30}(?:pass|pwd|token|secret|key)|[\"'`]:[\"'`]|:\$\{",
    re.I,
)


@check
def encoded_without_scheme(evidence: Evidence) -> Iterator[Finding]:
    """The code sets Authorization to base64 of user:password alone: the word Basic is nowhere."""
    if not troubled(evidence) or any(one.parsed.scheme for one in sent(evidence)):
        return
    for text in evidence.texts:
        if text.kind != "code":
            continue
        body = text.content[:LOOKED_AT]
        encodes = _ENCODES_PAIR.search(body)
        if encodes and _SETS_FIELD.search(body) and _PAIR_WORDS.search(body) and not _ANY_SCHEME.search(body):
            says = "The code sets Authorization to base64 of user and password, without the word Basic before it."
            weights = {"wrong-scheme": 20.0, "malformed-authorization": CLEAR, "wrong-password": -6.0}
            at = Where.of(text.source.at(text.line_at(encodes.start())))
            yield Finding("basic-word-missing", says, weights, at, group="scheme")
            return


_QUOTED_KEY = (
    r"[\"']?[\w-]*(?:api[_-]?key|token|secret|passw(?:or)?d|authorization|credential|access[_-]?key)[\"']?\s*[:=]\s*"
    r"(?P<quote>[\"'`])(?P<value>(?:Bearer |Basic |Token )?(?:[ \t]+[\w.~+/=$-]{8,}|[\w.~+/=$-]{8,}(?:[ \t]+|(?:\\r)?\\n)))(?P=quote)"
)


@check
def white_space_in_quotes(evidence: Evidence) -> Iterator[Finding]:
    """A quoted key or token begins or ends with a blank or an escaped line break. A field's value is trimmed, a body's or a frame's is not."""
    if not troubled(evidence):
        return
    for match, at in every(evidence, _QUOTED_KEY):
        value = match.group("value")
        if any(c.isdigit() for c in value) or len(value.strip()) > 15:
            says = "The quoted credential begins or ends with white space, which is part of it."
            weights = {"stray-whitespace": 22.0, "wrong-password": -4.0, "credential-revoked": -4.0}
            yield Finding("white-space-in-quotes", says, weights, at, group="newline")
            return


_LOOKS_UP = (
    r"(?:GetEnvironmentVariable\(\s*@?|getenv\(\s*|environ(?:\.get\(|\[)\s*|process\.env\[\s*|\bENV(?:\.fetch\(|\[)\s*|\benv\(\s*|System\.getenv\(\s*|os\.Getenv\(\s*"
    r"|LookupEnv\(\s*|env::var\(\s*|config\.get\(\s*|getProperty\(\s*|Deno\.env\.get\(\s*|secrets?\.get\(\s*)[\"'`](?P<name>[^\"'`\s]{12,400})[\"'`]"
    r"|\$\{\{\s*secrets\.(?P<other>(?:gh[pousr]_|glpat-|sk-|npm_|AKIA|eyJ)[\w-]{8,})\s*\}\}|process\.env\.(?P<third>(?:ghp_|sk_|npm_|AIza|AKIA|eyJ)\w{10,})"
)
_IDENTIFIER = lazy(
    r"[A-Z][A-Z0-9_]*|[a-z][a-z0-9_.:-]*|(?:[A-Za-z][a-z0-9]+[.:_-]?)+|https?://.*|[\w.-]+/[\w./-]+"
)


@check
def secret_as_name(evidence: Evidence) -> Iterator[Finding]:
    """The secret itself stands where the name of a variable belongs, so that nothing is found under it."""
    for match, at in every(evidence, _LOOKS_UP):
        name = match.group("name") or match.group("other") or match.group("third")
        mixed = bool(re.search(r"\d", name) and re.search(r"[A-Z]", name) and re.search(r"[a-z]", name))
        if match.group("name") is None or (mixed and len(name) > 15 and not _IDENTIFIER.fullmatch(name)):
            says = "What looks like the secret itself is given as the name of a variable, under which nothing is found."
            weights = {
                "placeholder-credential": 21.0,
                "client-config-not-loaded": CLEAR,
                "no-credentials": HINT,
            }
            yield Finding("secret-as-name", says, weights, at, group="placeholder")
            return


_LISTED_PROTECTED = r"^[ \t|*-]*`?[A-Z][A-Z0-9_]{2,}`?\b[^\n]{0,60}\bprotected\b"
_UNPROTECTED_RUN = r"merge[ _-]?request|feature branch|(?:topic|development|dev|develop|side|own|unprotected) branch|fork|CI_MERGE_REQUEST|\btags?\b|not (?:a )?protected"


@check
def protected_variable(evidence: Evidence) -> Iterator[Finding]:
    """GitLab gives a protected variable to pipelines of protected branches and tags alone."""
    found = next(every(evidence, _LISTED_PROTECTED), None)
    if found and troubled(evidence):
        run = where(evidence, _UNPROTECTED_RUN)
        says = "The variable is protected: only pipelines of protected branches and tags are given it."
        weights = {"client-config-not-loaded": 21.0 if run else STRONG - 3, "placeholder-credential": 8.0}
        yield Finding("protected-variable", says, weights, found[1], group="secret-not-given")
