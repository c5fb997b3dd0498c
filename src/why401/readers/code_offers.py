# ruff: noqa: E501  (tables of patterns: one a line, however long)
"""What client code sends as a credential: the field, the scheme as it is written, and the value where it is literal.

The same few forms serve all languages: a name beside an expression (`"Authorization": f"Token {t}"`,
`req.Header.Set("X-Api-Key", key)`, `headers["Authorization"] = "Bearer " + t`), and calls that build a credential.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.evidence import Offer, Place, Source
from why401.prefilter import Lazy, lazy
from why401.secret import Secret

_NAME = r"(?P<name>(?:Proxy-)?Authori[sz]ation|Authentication|X-[A-Za-z-]*(?:Key|Token|Auth|Secret|Crumb|Nonce)[A-Za-z-]*|Private-Token|Job-Token|Api-?Key|api_key|Ocp-Apim-Subscription-Key|Access-Token|Auth-Token|Jenkins-Crumb|Cookie|Token)"
_EXPRESSION = r"(?P<value>[^\n]{1,300})"

#: A field's name beside what it is set to.
_BESIDE: tuple[Lazy, ...] = tuple(
    lazy(pattern, re.IGNORECASE)
    for pattern in (
        rf"""["'`]{_NAME}:\s*(?P<literal>[^"'`\n]*)(?P<rest>["'`][^\n]*)""",
        rf"""(?<![\w-])["'`]?{_NAME}["'`]?\]?\s*(?:=>|:(?![:/])|=(?!=))\s*{_EXPRESSION}""",
        rf"""\(\s*["'`]{_NAME}["'`]\s*,\s*{_EXPRESSION}""",
        rf"""["'`]{_NAME}["'`]\s*,\s*["'`]?value["'`]?\s*(?:=>|[:=])\s*{_EXPRESSION}""",
        rf"""\(\s*(?:[\w.]*\.)?(?P<name>AUTHORIZATION|authorizationHeader)\s*,\s*{_EXPRESSION}""",
        rf"""\[?\s*\bHttpHeaders\.(?P<name>authorization)Header\s*\]?\s*[:=]\s*{_EXPRESSION}""",
        rf"""(?:setValue|addValue)\(\s*(?P<value>[^\n]{{1,200}}?),\s*forHTTPHeaderField:\s*"{_NAME}\"""",
    )
)

#: Calls that build a credential: (pattern, place, field, scheme).
_CALLS: tuple[tuple[str, Place, str, str | None], ...] = (
        (r"\bauth\s*=\s*\(\s*(?P<user>[^,()\n]+),", "field", "Authorization", "Basic"),
        (r"\bHTTPBasicAuth\s*\(\s*(?P<user>[^,()\n]*)", "field", "Authorization", "Basic"),
        (r"\bHTTPDigestAuth\s*\(\s*(?P<user>[^,()\n]*)", "field", "Authorization", "Digest"),
        (r"\b(?:HttpNtlmAuth|NtlmAuth)\s*\(", "field", "Authorization", "NTLM"),
        (r"\bHTTPKerberosAuth\s*\(", "field", "Authorization", "Negotiate"),
        (r"\bBasicAuth\s*\(\s*(?P<user>[^,()\n]*)", "field", "Authorization", "Basic"),
        (
            r"\bauth\s*:\s*\{\s*(?:\n\s*)?(?:username|user)\s*:\s*(?P<user>[^,\n}]+)",
            "field",
            "Authorization",
            "Basic",
        ),
        (r"['\"]auth['\"]\s*=>\s*\[\s*(?P<user>[^,\]]+),", "field", "Authorization", "Basic"),
        (r"\bAuthenticationHeaderValue\s*\(\s*\"(?P<scheme>[\w-]+)\"", "field", "Authorization", None),
        (
            r"\.(?:SetBasicAuth|setBasicAuth|basic_auth|basicAuth|basicAuthentication)\s*\(\s*(?P<user>[^,()\n]*)",
            "field",
            "Authorization",
            "Basic",
        ),
        (r"\bCredentials\.basic\s*\(\s*(?P<user>[^,()\n]*)", "field", "Authorization", "Basic"),
        (
            r"\.(?:setBearerAuth|bearer_auth|bearerAuth|SetBearerToken|withToken|SetAuthToken)\s*\(",
            "field",
            "Authorization",
            "Bearer",
        ),
        (r"\bCURLOPT_USERPWD\b", "field", "Authorization", "Basic"),
        (r"-Authentication\s+(?P<scheme>Basic|Bearer|OAuth)\b", "field", "Authorization", None),
        (
            r"\b(?:NetworkCredential|PSCredential|URLCredential)\s*\(\s*(?:user:\s*)?(?P<user>[^,()\n]*)",
            "unknown",
            "credential",
            None,
        ),
        (r"\bcredentials\s*:\s*['\"`]include['\"`]", "cookie", "cookies", None),
        (r"\bwithCredentials\s*[:=]\s*true\b", "cookie", "cookies", None),
)  # fmt: skip

_STRING = lazy(
    r"""^(?:[furbFRB$@]{0,3})(?P<quote>"{1}|'|`)(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)?(?P<after>.*)$"""
)
_SCHEME = lazy(r"^(?P<scheme>[A-Za-z][\w-]*:?)(?:\s+|$)")
_HOLE = lazy(r"\$\{|\{|\$\w|%s|#\{|\\\(|%\(|\{\d")
_FORMATTED = lazy(
    r"^(?:String\.format|fmt\.Sprintf|sprintf|format|str|string\.Format|HeaderValue::from_str|Some|&?format!)\s*\(\s*&?"
)


def offers(text: str, source: Source) -> Iterator[Offer]:
    """Every credential that the code sends, each place once."""
    first = source.line or 1
    seen: set[tuple[int, str]] = set()
    for pattern in _BESIDE:
        for match in pattern.finditer(text):
            line = first + text.count("\n", 0, match.start())
            name = _field(match["name"])
            if (line, name.lower()) in seen or _is_read(match, text):
                continue
            found = _written(match)
            if found is None:
                continue
            seen.add((line, name.lower()))
            scheme, value = found
            place = _place(name)
            yield Offer(place, name, scheme, value, source.at(line), provenance="code")
    for call, place, name, scheme in _CALLS:
        for match in re.finditer(call, text):
            line = first + text.count("\n", 0, match.start())
            groups = match.groupdict()
            user = _literal(groups.get("user") or "")
            yield Offer(
                place,
                name,
                groups.get("scheme") or scheme,
                None,
                source.at(line),
                provenance="code",
                user=user,
            )


def _field(name: str) -> str:
    return "Authorization" if name.lower() in ("authorization", "authorizationheader") else name


def _place(name: str) -> Place:
    """Where a credential of this name travels; an option of a library may go anywhere."""
    if name.lower() == "cookie":
        return "cookie"
    return "unknown" if name.lower() in ("token", "api_key", "apikey") else "field"


def _is_read(match: re.Match[str], text: str) -> bool:
    """Whether the name is read, declared or a parameter's, not set: a type, a function, a rule of a server."""
    before = text[max(0, match.start() - 24) : match.start()]
    value = match.groupdict().get("value") or ""
    return bool(
        re.search(r"(?i)(?:interface|type|class|def|function|allow\w*|expose\w*|get|vary)\W*$", before)
        or re.match(
            r"(?i)\s*(?:string|str|bool(?:ean)?|any|none|null|undefined|true|false|optional|security|header)\b\s*[,;)}|\[=]?",
            value,
        )
        or re.match(
            r"\s*(?:req|request|r|ctx|event|self\.request|\$request|\$_SERVER)(?:\.|->|\[)[\w.>\-\['\"()]*(?:headers?|META|HTTP_)",
            value,
        )
    )


def _written(match: re.Match[str]) -> tuple[str | None, Secret | None] | None:
    """The scheme and, where it is literal, the value of the expression; None where it is no credential's."""
    groups = match.groupdict()
    if groups.get("literal") is not None:
        rest = groups["rest"][1:].lstrip()
        return _scheme_and_value(
            groups["literal"], rest[:1] in (".", "+") or bool(_HOLE.search(groups["literal"]))
        )
    value = _FORMATTED.sub("", (groups["value"] or "").strip().lstrip("[("))
    string = _STRING.match(value)
    if string:
        after = string["after"].lstrip()
        joined = after[:1] in ("+", ".", "%", "&") or bool(_HOLE.search(string["body"]))
        joined = joined or (value.startswith(("%", "f")) and after.startswith(","))
        return _scheme_and_value(string["body"], joined)
    if re.match(r"[\w$&*(]", value):
        inside = re.search(
            r"""["'`](?P<scheme>Bearer|Basic|Token|JWT|Digest|ApiKey)(?::?\s|["'`]\s*,)""", value
        )
        return (inside["scheme"] if inside else None), None
    return None


def _scheme_and_value(body: str, joined: bool) -> tuple[str | None, Secret | None]:
    written = _SCHEME.match(body)
    scheme = written["scheme"] if written and (joined or len(body) > written.end()) else None
    if written and joined and len(body) == len(written["scheme"]):
        scheme = None  # "Bearer" + token: without a blank there is no scheme, only a longer token
    rest = body[len(scheme) :].strip() if scheme else body
    hole = bool(_HOLE.match(rest)) or joined
    return scheme, None if hole or not rest else Secret(rest)


def _literal(words: str) -> str | None:
    string = _STRING.match(words.strip())
    return string["body"] if string and not _HOLE.search(string["body"]) else None
