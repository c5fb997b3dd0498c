"""Express: middleware in the wrong order, or none where one is needed. What stands first is asked first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.checks import check, rule
from why401.checks.code_questions import applications, asked, requests
from why401.evidence import Evidence, Request
from why401.findings import AGAINST, NAMED, STRONG, Finding, Where
from why401.layers.applications import LOGIN_PATH
from why401.layers.express import HOP, Express
from why401.layers.express_steps import Step
from why401.layers.model import Edit
from why401.layers.syntax import walk

if TYPE_CHECKING:
    from tree_sitter import Node


def statement(step: Step) -> Node | None:
    """The statement in which a handler is mounted."""
    at: Node | None = step.call.node
    while at is not None and at.type != "expression_statement":
        at = at.parent
    return at


def moved(late: Step, early: Step) -> tuple[Edit, ...]:
    """The edits that put one statement before another of the same file."""
    this, that = statement(late), statement(early)
    if this is None or that is None or late.module is not early.module:
        return ()
    return late.module.code.moved(this, that)


def guards(steps: tuple[Step, ...]) -> list[Step]:
    """The handlers for every method that refuse who has no credential."""
    return [
        s
        for s in steps
        if s.method in ("", "all") and any(d.respect in ("scheme", "field", "cookie") for d in s.demands(""))
    ]


@rule
def cors_behind_guard(evidence: Evidence) -> Iterator[Finding]:
    """A guard before `cors()` refuses the preflight, which can carry no credential (Fetch, CORS-preflight)."""
    held = requests(evidence)
    if held and not any(r.method == "OPTIONS" or "Origin" in r.fields for r in held):
        return
    for layer in applications(evidence, Express):
        for at, cors in enumerate(layer.steps):
            if cors.package != "cors" or cors.method or any(s.package == "cors" for s in layer.steps[:at]):
                continue
            preflight = Request("OPTIONS", cors.full, complete=True)
            guard = next(
                (g for g in guards(layer.steps[:at]) if g.takes(preflight) or g.full.startswith(cors.full)),
                None,
            )
            if (
                guard is None
                or guard.exempt(guard.full, "OPTIONS")
                or "OPTIONS" in (guard.guard.reads if guard.guard else "")
            ):
                continue
            yield Finding(
                "express-cors-behind-guard",
                f"cors() stands behind the guard at {guard.full}, which refuses the preflight before.",
                {"cors-preflight-rejected": NAMED, "no-credentials": AGAINST},
                Where.of(guard.call.source),
                group="preflight-order",
                stack=HOP,
                fix="Use cors() before the guard.",
                edits=moved(cors, guard),
            )


@rule
def login_behind_guard(evidence: Evidence) -> Iterator[Finding]:
    """The route at which one logs in stands behind a guard that asks for the login."""
    held = requests(evidence)
    for layer in applications(evidence, Express):
        for at, login in enumerate(layer.steps):
            if login.method != "post" or not re.search(LOGIN_PATH, login.full) or not _makes_login(login):
                continue
            asks = Request("POST", login.full, complete=True)
            guard = next((g for g in guards(layer.steps[:at]) if _token_guard(g) and g.takes(asks)), None)
            if guard is None or (held and not any(login.takes(r) for r in held)):
                continue
            wrong = next((e for e in guard.exemptions if login.full.endswith(e) and e.startswith("/")), None)
            if wrong is not None:
                yield _exemption(guard, login, wrong)
                continue
            yield Finding(
                "express-login-behind-guard",
                f"POST {login.full} is where one logs in, and the guard at {guard.full} before it asks for the login.",
                {"auth-rule-unintended": NAMED, "no-credentials": AGAINST, "wrong-password": AGAINST},
                Where.of(guard.call.source),
                group="answered-here",
                stack=HOP,
                fix=f"Put the route {login.full} before the guard.",
                edits=moved(login, guard),
                opens=login.full,
            )


def _token_guard(step: Step) -> bool:
    """Whether a guard asks for what a login gives, and makes no exception by the path."""
    if any(d.respect == "scheme" and d.value in ("Basic", "Digest") for d in step.demands("")):
        return False
    reads = step.guard.reads if step.guard else ""
    return not re.search(r"\.(?:path|originalUrl|url|baseUrl|route)\b", reads)


def _makes_login(step: Step) -> bool:
    """Whether a handler makes a token or a session of what the body says."""
    reads = step.guard.reads if step.guard else ""
    return (
        ".body" in reads
        or ".sign(" in reads
        or (step.package == "passport" and "local" in (step.made.strings() if step.made else ()))
    )


def _exemption(guard: Step, login: Step, wrong: str) -> Finding:
    code = guard.home.code
    node = next(
        (n for n in walk(guard.home.code.root, "string") if n.text and n.text[1:-1].decode() == wrong), None
    )
    line = code.line(node) if node is not None else guard.call.line
    return Finding(
        "express-unless-path",
        f"The exception for {wrong} never holds: it is compared with the whole path, which is {login.full}.",
        {"auth-rule-unintended": NAMED, "no-credentials": AGAINST, "wrong-password": AGAINST},
        Where.of(guard.source.at(line)),
        group="answered-here",
        stack=HOP,
        fix=f"Write the whole path: {login.full}.",
        edits=code.replaced(node, f"'{login.full}'") if node is not None else (),
        opens=login.full,
    )


#: What a handler reads → the middleware that fills it, and its name in a sentence.
_FILLED = (
    (r"\.cookies\b", "cookie-parser", "req.cookies", "cookieParser()"),
    (r"\.session\b(?!\()", "session", "req.session", "session()"),
)


@rule
def filled_too_late(evidence: Evidence) -> Iterator[Finding]:
    """A guard reads what a middleware fills in that comes later, or not at all."""
    for layer in applications(evidence, Express):
        for at, step in enumerate(layer.steps):
            for pattern, package, what, name in _FILLED:
                if step.guard is None or not step.guard.refusals or not re.search(pattern, step.guard.reads):
                    continue
                if any(
                    s.package in (package, "openid-connect")
                    or "ession(" in s.call.code.line_text(s.call.line)
                    for s in layer.steps[:at]
                ):
                    continue
                late = next((s for s in layer.steps[at:] if s.package == package and not s.method), None)
                if late is None and (package != "cookie-parser" or not _all_known(layer.steps[:at])):
                    continue
                yield Finding(
                    "express-filled-too-late",
                    f"{what} is read here, and {name} that fills it {'comes later' if late else 'is not used'}.",
                    {"auth-not-wired": NAMED, "session-unknown": AGAINST, "no-credentials": AGAINST},
                    Where.of(late.call.source if late else step.guard.refusals[0].source),
                    group="wiring",
                    stack=HOP,
                    fix=f"Use {name} before all that reads {what}.",
                    edits=moved(late, layer.steps[at]) if late else (),
                )
                return


def _all_known(steps: tuple[Step, ...]) -> bool:
    """Whether it is known of every handler what it does: none comes from elsewhere."""
    return all(step.package or step.guard for step in steps)


@rule
def passport_before_session(evidence: Evidence) -> Iterator[Finding]:
    """`passport.session()` reads the login from the session, so `session()` has to come first (passport, README)."""
    for layer in applications(evidence, Express):
        for at, step in enumerate(layer.steps):
            late = next((s for s in layer.steps[at:] if s.package == "session" and not s.method), None)
            if (
                step.package != "passport.session"
                or late is None
                or any(s.package == "session" for s in layer.steps[:at])
            ):
                continue
            yield Finding(
                "express-passport-before-session",
                "passport.session() comes before session(): the login is never found, and every request is anonymous.",
                {"auth-not-wired": NAMED, "session-unknown": AGAINST},
                Where.of(step.call.source),
                group="wiring",
                stack=HOP,
                fix="Use session() before passport.session().",
                edits=moved(late, step),
            )


@rule
def body_not_read(evidence: Evidence) -> Iterator[Finding]:
    """A login reads `req.body`, and no parser comes before it."""
    for layer in applications(evidence, Express):
        for at, step in enumerate(layer.steps):
            reads = step.guard.reads if step.guard else ""
            if (
                step.method != "post"
                or not re.search(r"\breq(?:uest)?\.body\b", reads)
                or not step.guard
                or not step.guard.refusals
            ):
                continue
            before = layer.steps[:at]
            if any(s.package == "body-parser" for s in before) or not _all_known(before):
                continue
            late = next((s for s in layer.steps[at:] if s.package == "body-parser" and not s.method), None)
            yield Finding(
                "express-body-not-read",
                f"The login at {step.full} reads req.body, and no body parser comes before it.",
                {"login-body-not-read": NAMED, "wrong-password": AGAINST},
                Where.of(step.call.source),
                group="login-body",
                stack=HOP,
                fix="Use express.json() (and express.urlencoded()) before the route.",
                edits=moved(late, step) if late else _parser(layer, step),
            )


def _parser(layer: Express, step: Step) -> tuple[Edit, ...]:
    """The edit that puts a parser before a route of the main file."""
    code = layer.module.code
    named = any(
        held.origin == "express" and not held.name and name == "express"
        for name, held in layer.module.imports.items()
    )
    if step.module is not layer.module or not named:
        return ()
    return (Edit(code.document, step.call.line, step.call.line - 1, (f"{layer.app}.use(express.json());",)),)


@check
def body_of_other_type(evidence: Evidence) -> Iterator[Finding]:
    """The login's body is a form, and only JSON is parsed; or the other way round."""
    for layer, one, _ in asked(evidence, Express):
        kind = (one.request.fields.get("content-type") or "").lower()
        wanted = "urlencoded" if "x-www-form-urlencoded" in kind else "json" if "json" in kind else ""
        steps = layer.passed(one.request)
        parsers = {s.made.name for s in steps if s.package == "body-parser" and s.made}
        reader = next(
            (s for s in steps if s.guard and re.search(r"\breq(?:uest)?\.body\b", s.guard.reads)), None
        )
        if (
            wanted
            and parsers
            and parsers <= {"json", "urlencoded"}
            and wanted not in parsers
            and reader is not None
        ):
            yield Finding(
                "express-body-of-other-type",
                f"The body is {kind.partition(';')[0]}, and only {' and '.join(sorted(parsers))} is parsed.",
                {"login-body-not-read": STRONG, "wrong-password": AGAINST},
                Where.of(next(s for s in steps if s.package == "body-parser").call.source),
                group="login-body",
                stack=HOP,
                fix=f"Use express.{wanted}() as well, or send the body as the route reads it.",
            )
