"""Checks of login requests: is the body one that the server reads? And of logins that nobody asked for.

A login handler reads certain fields in a certain encoding; a body in another is an empty login to it. What the
client sends (Content-Type, keys) is compared with what the server's code parses and names.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from why401.checks import check
from why401.checks.credentials_offers import anywhere, every, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import Finding, Where


@dataclass(frozen=True)
class Body:
    """A login body as the client sends it: its encoding (json, form, multipart), keys at the top, place."""

    form: str
    keys: frozenset[str]
    where: Where
    nested: bool = False


def bodies(evidence: Evidence) -> Iterator[Body]:
    """The login bodies of exchanges and of commands."""
    for exchange in evidence.exchanges:
        request = exchange.request
        if request.body and (exchange.refused or exchange.status in (400, 422, None)):
            kind = (request.fields.get("content-type") or "").lower()
            read = _keys(request.body)
            if _has_login(read):
                yield Body(
                    _form(kind, request.body), frozenset(read), Where.at(exchange), _nested(request.body)
                )
    pattern = r"curl[^\n]*(?:\\\n[^\n]*){0,8}"
    for match, at in every(evidence, pattern):
        command = match.group()
        data = re.search(
            r"(?:-d|--data(?:-raw|-binary)?|--json)[ =]?(?:'([^']*)'|\"((?:[^\"\\]|\\.)*)\")", command
        )
        if data:
            body = (data.group(1) or data.group(2) or "").replace('\\"', '"')
            kind = (
                "application/json"
                if re.search(r"content-type:\s*application/json|--json", command, re.I)
                else "application/x-www-form-urlencoded"
            )
            if _has_login(_keys(body)):
                yield Body(_form(kind, body), frozenset(_keys(body)), at, _nested(body))


def _form(kind: str, body: str) -> str:
    if "json" in kind:
        return "json"
    if "multipart" in kind:
        return "multipart"
    if "urlencoded" in kind and body.lstrip().startswith("{"):
        return "json-as-form"
    return (
        "form"
        if "urlencoded" in kind
        else ("json" if body.lstrip().startswith("{") else "text" if "text/plain" in kind else "form")
    )


def _keys(body: str) -> list[str]:
    try:
        value = json.loads(body)
        if isinstance(value, dict):
            inner = [key for item in value.values() if isinstance(item, dict) for key in item]
            return [str(key) for key in [*value, *inner]]
    except ValueError:
        pass
    if body.lstrip().startswith("{"):
        return re.findall(r"[\"'](\w+)[\"']\s*:", body)
    names = re.findall(r'name="([^"]+)"', body)
    return names or [key for key, _ in parse_qsl(body, keep_blank_values=True)]


def _nested(body: str) -> bool:
    return bool(re.match(r"\s*\{\s*\"\w+\"\s*:\s*\{", body))


def _has_login(keys: list[str]) -> bool:
    return any(re.search(r"passw|pwd|secret|grant_type|^pass$", key, re.I) for key in keys)


_READS_BODY = r"passport\.authenticate\(\s*['\"]local|new LocalStrategy|passport-local|req\.body\.|=\s*req\.body\b|ctx\.request\.body"
_ANY_PARSER = r"bodyParser|body-parser|express\.json|express\.urlencoded|koa-?body|koaBody|fastify|NestFactory|multer|formidable|@nestjs|body_parser"
_JSON_PARSER = r"express\.json\(|bodyParser\.json\(|bodyParser\(\)|koa-?body"
_FORM_PARSER = r"urlencoded\(|bodyParser\(\)|koa-?body"


@check
def body_parser(evidence: Evidence) -> Iterator[Finding]:
    """Node: `req.body` is empty without a body parser for the encoding that the client uses, before the route."""
    reads = where(evidence, _READS_BODY)
    if not reads or not troubled(evidence):
        return
    server = "\n".join(
        text.content
        for text in evidence.texts
        if re.search(
            r"express\(\)|createServer|new Koa|app\.(?:use|post)\(|server\.(?:use|post)\(", text.content
        )
    )
    sent_forms = {body.form for body in bodies(evidence)}
    if server and not re.search(_ANY_PARSER, server):
        yield _finding(
            "no-body-parser",
            "The server reads the login from req.body and installs no body parser.",
            reads[1],
            22.0,
        )
    elif (
        server
        and sent_forms & {"json"}
        and not re.search(_JSON_PARSER, server)
        and re.search(_FORM_PARSER, server)
    ):
        yield _finding(
            "parser-form-only", "The login is sent as JSON, and the server parses forms only.", reads[1], 21.0
        )
    elif (
        server
        and sent_forms & {"form"}
        and not re.search(_FORM_PARSER, server)
        and re.search(_JSON_PARSER, server)
    ):
        yield _finding(
            "parser-json-only",
            "The login is sent as a form, and the server parses JSON only.",
            reads[1],
            21.0,
        )
    elif "multipart" in sent_forms and not re.search(r"multer|formidable|busboy", server):
        yield _finding(
            "parser-no-multipart",
            "The login is sent as multipart, which these parsers do not read.",
            reads[1],
            19.0,
        )
    elif server and _parser_after_route(server):
        yield _finding(
            "parser-after-route",
            "The body parser is installed after the login route, so it never runs.",
            reads[1],
            19.0,
        )


def _finding(slug: str, says: str, at: Where, weight: float) -> Finding:
    weights = {"login-body-not-read": weight, "wrong-password": -6.0, "no-credentials": -3.0}
    return Finding(slug, says, weights, at, group="login-body")


def _parser_after_route(server: str) -> bool:
    parser = re.search(r"\.use\(\s*(?:bodyParser|express\.(?:json|urlencoded)|koaBody)", server)
    route = re.search(r"\.(?:post|all)\(\s*['\"][^'\"]*(?:login|sign-?in|auth|session)", server, re.I)
    return bool(parser and route and parser.start() > route.start())


#: What the server's code wants of a login body → pattern, form it reads (None: any), fields it names, name.
_SERVERS: tuple[tuple[str, str | None, tuple[str, ...], str], ...] = (
    (r"OAuth2PasswordRequestForm", "form", ("username", "password"), "FastAPI's OAuth2PasswordRequestForm"),
    (
        r"\.formLogin\(|UsernamePasswordAuthenticationFilter|j_spring_security_check|j_security_check",
        "form",
        (),
        "Spring's form login",
    ),
    (
        r"grant_type|/protocol/openid-connect/token|/oauth2?/token|connect/token",
        "form",
        (),
        "an OAuth token endpoint (RFC 6749, section 4)",
    ),
    (r"json_login:", "json", (), "Symfony's json_login"),
    (
        r"\[FromForm\]|request\.form\b|\$_POST\[|@FormParam|r\.FormValue\(|request\.POST\b|ctx\.PostForm",
        "form",
        (),
        "the handler",
    ),
    (
        r"\[FromBody\]|request\.get_json\(|request\.json\b|@RequestBody|json\.NewDecoder\(r\.Body\)|ShouldBindJSON|BindJSON|php://input|await req(?:uest)?\.json\(\)",
        "json",
        (),
        "the handler",
    ),
    (
        r"as: :json|params\.require\(:(?:user|session)\)|devise_for|Devise::SessionsController",
        None,
        (),
        "Devise",
    ),
)


@check
def body_against_handler(evidence: Evidence) -> Iterator[Finding]:
    """The encoding or the fields of the body are not those that the handler reads."""
    sent_bodies = list(bodies(evidence))
    if not troubled(evidence):
        return
    for body in sent_bodies:
        yield from _against_handler(evidence, body)
        yield from _against_strategy(evidence, body)
        if body.form == "json-as-form":
            says = "The body is JSON, and no Content-Type says so: curl -d then names it a form."
            yield Finding(
                "json-as-form",
                says,
                {"login-body-not-read": 17.0, "wrong-password": -5.0},
                body.where,
                group="login-body",
            )
    if not sent_bodies:
        yield from _client_code(evidence)


def _against_handler(evidence: Evidence, body: Body) -> Iterator[Finding]:
    for pattern, form, fields, who in _SERVERS:
        found = where(evidence, pattern)
        if not found:
            continue
        if (
            form
            and body.form not in (form, "multipart" if form == "form" else form)
            and body.form != "json-as-form"
        ):
            says = f"The login is sent as {body.form}, and {who} reads {form}."
            yield _finding("login-form-differs", says, found[1], 20.0)
        elif fields and not set(fields) <= body.keys:
            says = f"{who} reads the fields {' and '.join(fields)}; the body names others."
            yield _finding("login-fields-differ", says, found[1], 20.0)
        elif who == "Devise" and not body.nested and not any("[" in key for key in body.keys):
            says = "Devise reads the login from within user: {…}; the body has the fields at the top."
            yield _finding("login-not-nested", says, body.where, 18.0)


def _against_strategy(evidence: Evidence, body: Body) -> Iterator[Finding]:
    """passport-local reads `username` and `password` unless told otherwise."""
    local = where(
        evidence,
        r"new (?:Local)?Strategy\(|PassportStrategy\(Strategy\)|passport-local|AuthGuard\(['\"]local",
    )
    if not local:
        return
    names = {
        kind: m.group(1)
        for kind in ("username", "password")
        for m, _ in every(evidence, rf"{kind}Field\s*:\s*['\"](\w+)")
    }
    wanted = {names.get("username", "username"), names.get("password", "password")}
    if not wanted <= body.keys:
        says = f"The strategy reads {' and '.join(sorted(wanted))}, and the body names {', '.join(sorted(body.keys)[:3])}."
        yield _finding("strategy-fields-differ", says, local[1], 21.0)


def _client_code(evidence: Evidence) -> Iterator[Finding]:
    """Client code that sends JSON (axios, fetch with JSON.stringify, requests json=) to a handler that reads a form."""
    to_json = where(
        evidence,
        r"JSON\.stringify\(|axios\.post\(|\bjson\s*=\s*[{\w]|application/json|\$http\.post\(|jsonEncode\(",
    )
    to_form = where(
        evidence,
        r"URLSearchParams|new FormData|x-www-form-urlencoded|qs\.stringify|FormUrlEncodedContent|\bdata\s*=\s*\{",
    )
    for pattern, form, _, who in _SERVERS:
        found = where(evidence, pattern)
        if found and form == "form" and to_json and not to_form and not pattern.startswith("grant_type"):
            yield _finding(
                "client-sends-json", f"The client sends JSON, and {who} reads a form.", found[1], 13.0
            )
        elif found and form == "json" and to_form and not to_json:
            yield _finding(
                "client-sends-form", f"The client sends a form, and {who} reads JSON.", found[1], 13.0
            )


#: Words by which a server or reporter tells that the body was not read → weight.
_TOLD = (
    (
        r"(?:missing|without|no|empty) (?:a |the )?(?:json|request|post) body\b|\bbody (?:is|was) (?:missing|required)",
        13.0,
    ),
    (r"missing credentials", 19.0),
    (
        r"req\.body (?:is |was |= |: |->)?\s*(?:undefined|empty|\{\s*\}|null)|body (?:is|was) (?:undefined|empty|always empty|\{\})|(?:cannot|can't) (?:read|destructure) propert(?:y|ies)[^\n]*(?:req\.body|(?:of|'(?:email|username|password)')[^\n]*undefined)",
        20.0,
    ),
    (
        r"missing form parameter: ?(?:grant_type|username|password)|grant_type (?:is )?(?:missing|required|parameter)|unsupported_grant_type[^\n]*null",
        17.0,
    ),
    (
        r"(?:verify|validate)\w*\b[^.\n]{0,30}(?:never|not|is n[o']t) (?:even )?(?:called|invoked|reached|runs?|executed)",
        12.0,
    ),
    (
        r"(?:works?|fine|ok)[^.\n]{0,50}(?:x-www-form-urlencoded|form[- ]data|urlencoded|as a form|-F\b)|(?:x-www-form-urlencoded|form[- ]data)[^.\n]{0,50}(?:works?|fine|ok)",
        15.0,
    ),
    (
        r"username (?:and password )?(?:is|are|was|were|=|:) (?:null|undefined|None|empty)[^.\n]{0,60}(?:server|controller|handler|log|debug)?",
        10.0,
    ),
)


@check
def told(evidence: Evidence) -> Iterator[Finding]:
    """The server or the reporter says that no body arrived."""
    if not troubled(evidence):
        return
    for pattern, weight in _TOLD:
        found = anywhere(evidence, pattern)
        if found and pattern == "missing credentials" and sent(evidence):
            continue  # a gateway's words for a field that it could not read
        if found:
            yield _finding(
                "login-body-told",
                "The words say that the login's body was not read.",
                Where.of(found[1]),
                weight,
            )
            return
