"""Rules on Flask: hooks that refuse preflights and logins, callbacks that are missing, keys that do not last."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from why401.checks import rule
from why401.checks.fastapi_rules import LOGIN, MOST, concrete, preflight
from why401.checks.python_edits import applications, body_start, document, inserted, line, statement
from why401.evidence import Evidence, Fields, Request, Source
from why401.findings import CLEAR, NAMED, STRONG, Finding, Where
from why401.layers.flask_app import Flask
from why401.layers.model import Edit
from why401.layers.python_app import Application, Refusal
from why401.layers.python_define import Wrapped
from why401.layers.python_values import Function, Thing, truth

_RANDOM = (
    "os.urandom",
    "secrets.token_",
    "uuid.uuid",
    "random.",
    "get_random_secret_key",
    "get_random_string",
    "Fernet.generate_key",
)
_GUARDS = ("login_required", "fresh_login_required", "jwt_required", "auth_required", "roles_required")


def hook_of(app: Flask, refusal: Refusal) -> Function | None:
    """The `before_request` function that refuses."""
    return next(
        (u.target for u in app.hooks if isinstance(u.target, Function) and u.target.name == refusal.guard),
        None,
    )


@rule
def preflight_refused(evidence: Evidence) -> Iterator[Finding]:
    """A `before_request` refuses OPTIONS though the application means to take requests of other origins."""
    for app in applications(evidence, Flask):
        assert isinstance(app, Flask)
        if not any(made.package == "flask_cors" for made in app.program.made) and not _sets_cors(app):
            continue
        for endpoint in app.endpoints[:MOST]:
            path = concrete(endpoint)
            sure = next((r for r in app.ask(preflight(path), endpoint, path).refusals if r.sure), None)
            hook = hook_of(app, sure) if sure else None
            if sure is None or hook is None:
                continue
            yield Finding(
                "flask-preflight-refused",
                f"`{hook.name}` runs before every request and refuses preflights (OPTIONS), which carry no credential.",
                {"cors-preflight-rejected": NAMED, "no-credentials": -12.0, "wrong-header": -12.0},
                Where.of(sure.source),
                "answered-here",
                app.hop,
                fix="Let OPTIONS pass: it carries no credential and reveals nothing.",
                edits=_passing(app, hook, 'request.method == "OPTIONS"'),
            )
            break


def _sets_cors(app: Flask) -> bool:
    return any("Access-Control-Allow" in m.document.text for m in app.program.project.modules)


def _passing(app: Flask, hook: Function, test: str) -> tuple[Edit, ...]:
    if isinstance(hook.node, ast.Lambda) or "request" not in document_text(app, hook):
        return ()
    where = Source(hook.module.document.name, body_start(hook.node))
    return inserted(app, where, f"if {test}:", "    return None")


def document_text(app: Flask, function: Function) -> str:
    held = document(app, function.module.document.name)
    return held.text if held else ""


@rule
def login_asks_for_login(evidence: Evidence) -> Iterator[Finding]:
    """A `before_request` refuses the route at which one logs in."""
    for app in applications(evidence, Flask):
        assert isinstance(app, Flask)
        for endpoint in app.endpoints:
            if not LOGIN.search(endpoint.path):
                continue
            method = "POST" if "POST" in endpoint.methods else "GET"
            request = Request(method, f"https://api.example{endpoint.path}", Fields())
            sure = next((r for r in app.ask(request, endpoint, endpoint.path).refusals if r.sure), None)
            hook = hook_of(app, sure) if sure else None
            if sure is None or hook is None:
                continue
            yield Finding(
                "flask-login-behind-login",
                f"`{hook.name}` runs before every request and refuses {endpoint.path} too, where one logs in.",
                {"auth-rule-unintended": NAMED, "no-credentials": -12.0, "wrong-header": -8.0},
                Where.of(sure.source),
                "answered-here",
                app.hop,
                fix=f"Let {endpoint.path} pass.",
                edits=_passing(app, hook, f'request.endpoint == "{endpoint.name}"'),
                opens=endpoint.path,
            )


@rule
def callback_missing(evidence: Evidence) -> Iterator[Finding]:
    """Flask-HTTPAuth is asked, and nothing tells it who is known: every credential is refused."""
    for app in applications(evidence, Flask):
        for auth in app.program.made:
            if auth.package != "flask_httpauth" or auth.kind not in ("HTTPBasicAuth", "HTTPTokenAuth"):
                continue
            callbacks = auth.used("verify_password", "verify_token", "get_password")
            wanted = "verify_password" if auth.kind == "HTTPBasicAuth" else "verify_token"
            if not callbacks and auth.used("login_required"):
                candidates = _named(app, wanted, auth)
                yield Finding(
                    "flask-no-callback",
                    f"No function is registered with `{wanted}`: {auth.kind} refuses every credential.",
                    {"auth-not-wired": NAMED, "wrong-password": -12.0, "wrong-scheme": -8.0},
                    Where.of(candidates[0].source if candidates else auth.source),
                    "answered-here",
                    app.hop,
                    fix=f"Register the function that knows the users with `@….{wanted}`.",
                    edits=_registered(app, candidates, auth, wanted),
                )
            for use in callbacks:
                if isinstance(use.target, Function):
                    yield from _never(app, use.target)


def _named(app: Application, wanted: str, auth: Thing) -> list[Function]:
    """Undecorated functions beside the object that look like its callback."""
    module = next((m for m in app.program.project.modules if m.document.name == auth.source.name), None)
    held = app.program.space(module).names.values() if module else ()
    words = ("verify", "check", "authenticate")
    size = 2 if wanted == "verify_password" else 1
    return [
        f for f in held
        if isinstance(f, Function) and not f.decorators and f.name.startswith(words) and f.module is module
        and len(f.node.args.args) == size
    ]  # fmt: skip


def _registered(app: Application, found: list[Function], auth: Thing, wanted: str) -> tuple[Edit, ...]:
    node = statement(app, auth.source)
    if len(found) != 1 or not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return ()
    return inserted(app, found[0].source, f"@{node.targets[0].id}.{wanted}")


def _never(app: Application, callback: Function) -> Iterator[Finding]:
    """A callback that has no way to say yes: it never returns anything true."""
    app.program.maybe = []
    flows = app.program.flows(callback)
    values = [
        truth(flow.value) if flow.kind == "returns" else False for flow in flows if flow.kind != "raises"
    ]
    if values and not any(value is not False for value in values):
        last = callback.node.body[-1] if isinstance(callback.node.body, list) else callback.node
        where = Source(callback.source.name, last.lineno)
        text = line(app, where)
        bare = isinstance(last, ast.Expr) and last.lineno == last.end_lineno
        indent = text[: len(text) - len(text.lstrip())]
        held = document(app, where.name)
        edit = (
            (Edit(held, last.lineno, last.lineno, (f"{indent}return {text.strip()}",)),)
            if bare and held
            else ()
        )
        yield Finding(
            "flask-callback-never-true",
            f"`{callback.name}` never returns anything true, so every credential is refused.",
            {"auth-not-wired": NAMED, "wrong-password": -12.0},
            Where.of(where),
            "answered-here",
            app.hop,
            fix="Return the user (or True) where the credential is good.",
            edits=edit,
        )


@rule
def guard_above_route(evidence: Evidence) -> Iterator[Finding]:
    """A decorator that asks for a login stands above `@app.route`: the route has the function without it."""
    for app in applications(evidence, Flask):
        routed = {id(e.view.node) for e in app.endpoints if isinstance(e.view, Function)}
        for module in app.program.project.modules:
            for value in list(app.program.space(module).names.values()):
                if (
                    not isinstance(value, Function)
                    or value.module is not module
                    or id(value.node) not in routed
                ):
                    continue
                names = [d.kind for d in value.decorators if not isinstance(d, Wrapped)]
                route = next(
                    (at for at, n in enumerate(names) if n in ("route", "get", "post", "put", "delete")), None
                )
                above = [d for d in value.decorators[: route or 0] if d.kind in _GUARDS]
                if above:
                    yield Finding(
                        "flask-guard-above-route",
                        f"`@{above[0].kind}` stands above the route, which has the function without it.",
                        {"auth-not-wired": CLEAR},
                        Where.of(above[0].source),
                        stack=app.hop,
                        fix="Put it below the route's decorator.",
                        edits=_swapped(app, above[0].source, value.decorators[route or 0].source),
                    )


def _swapped(app: Application, first: Source, second: Source) -> tuple[Edit, ...]:
    held = document(app, first.name)
    if held is None or not first.line or second.line != first.line + 1:
        return ()
    return (Edit(held, first.line, second.line, (line(app, second), line(app, first))),)


@rule
def key_made_anew(evidence: Evidence) -> Iterator[Finding]:
    """The key that signs sessions is made anew by each process: sessions end with a restart, or at once."""
    for app in applications(evidence, Flask):
        assert isinstance(app, Flask)
        value, where = app.config.get("SECRET_KEY"), app.config.places.get("SECRET_KEY")
        if where is not None and random(value) and _keeps_sessions(app):
            yield random_key(app, where)


def random(value: object) -> bool:
    """Whether a value is made by chance."""
    if not isinstance(value, Thing):
        return False
    return any(word in value.name for word in _RANDOM) or any(random(arg) for arg in value.args)


def random_key(app: Application, where: Source) -> Finding:
    """The finding on a key that is made by chance at each start."""
    return Finding(
        "python-random-key",
        "The key that signs sessions and tokens is made anew at each start and in each process: what one signed, "
        "the next refuses.",
        {"secret-rotated": STRONG, "session-unknown": -4.0},
        Where.of(where),
        "secret-made-anew",
        app.hop,
        fix="Keep one key: make it once, store it outside of the code, and read it from the environment.",
    )


def _keeps_sessions(app: Flask) -> bool:
    words = ("session", "flask_login", "itsdangerous", "flask_wtf", "jwt")
    return any(word in m.document.text for m in app.program.project.modules for word in words)
