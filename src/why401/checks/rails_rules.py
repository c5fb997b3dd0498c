"""What only Rails gets wrong: logins behind the login, callbacks in an order that sees no user, tokens that are never
issued, sessions that an API has not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from why401.checks import check, rule
from why401.evidence import Evidence, Source
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.applications import authorization
from why401.layers.rails import HOP, Rails
from why401.layers.rails_controllers import BEFORE, DEVISE, Controller
from why401.layers.rails_routes import Target, names, options
from why401.layers.syntax import Call, Code, string, text, walk
from why401.path import Walk, routes, walks

if TYPE_CHECKING:
    from tree_sitter import Node

_LOOKALIKES = {"wrong-password": AGAINST, "token-expired": AGAINST}
_LOGIN = re.compile(r"(?i)(?:^|/)(?:sessions?|auth(?:entication)?s?|log_?ins?|user_?tokens?|tokens?)$")
_RIGHTS = ("load_and_authorize_resource", "authorize_resource")
#: Names of callbacks that ask for a login.
_ASKS = re.compile(
    r"^(?:authenticate|require_(?:login|user|authentication|sign|logged)|authorize_request|verify_token)"
)


def _layers(evidence: Evidence) -> Iterator[Rails]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, Rails) and (id(layer) in held or not evidence.exchanges):
            yield layer


def _asked(evidence: Evidence) -> Iterator[tuple[Walk, Rails, Target]]:
    for one in walks(evidence):
        for layer in (route.layer for route in one.routes):
            target = layer.target(one.request) if isinstance(layer, Rails) else None
            if isinstance(layer, Rails) and target is not None and one.status in (401, 403, 422, None):
                yield one, layer, target


@rule
def login_guarded(evidence: Evidence) -> Iterator[Finding]:
    """The action that logs one in runs through the callback that asks for the login."""
    for layer in _layers(evidence):
        for one in layer.controllers.held.values():
            if not _LOGIN.search(one.path) or "create" not in one.methods or "Devise" in one.parent:
                continue
            found = layer.controllers.callbacks(one, "create")
            asking = next((c for c, _ in found if _ASKS.match(c.name) and not c.conditional), None)
            if asking is None:
                continue
            yield Finding(
                "rails-login-guarded",
                f"{one.name}#create logs one in, and {asking.name} asks for the login before it.",
                {"auth-rule-unintended": NAMED, "no-credentials": AGAINST, **_LOOKALIKES},
                Where.of(asking.call.source),
                "callback",
                HOP,
                fix=f"skip_before_action :{asking.name}, only: :create in {one.name}.",
                opens=next(
                    (t.path for t in layer.targets if t.controller == one.path and t.action == "create"),
                    one.path,
                ),
            )
            return


@rule
def rights_before_login(evidence: Evidence) -> Iterator[Finding]:
    """CanCanCan asks for the user's rights before the callback that finds the user has run."""
    for layer in _layers(evidence):
        for one in layer.controllers.held.values():
            loads = [*one.bare(*_RIGHTS), *(call.node for call in one.calls(*_RIGHTS))]
            logins = [c for c in one.calls(*BEFORE) if any(_ASKS.match(n) for n in c.strings())]
            inherited = any(
                _ASKS.match(name)
                for ancestor in layer.controllers.lineage(one)[:-1]
                for call in ancestor.calls(*BEFORE)
                for name in call.strings()
            )
            if not loads or not logins or inherited or logins[0].name.startswith("prepend"):
                continue
            if loads[0].start_byte > logins[0].node.start_byte:
                continue
            yield Finding(
                "rails-rights-before-login",
                f"{text(loads[0])} asks for the user's rights before {logins[0].strings()[0]} has found the user: "
                "nobody is logged in there yet.",
                {"auth-not-wired": NAMED, "not-permitted": HINT, **_LOOKALIKES},
                Where.of(one.code.source(loads[0])),
                "callback-order",
                HOP,
                fix=f"Put {text(loads[0])} below the before_action.",
                edits=one.code.moved(logins[0].node, loads[0]),
            )
            return


@rule
def token_never_issued(evidence: Evidence) -> Iterator[Finding]:
    """devise-jwt hands out a token only for requests that `dispatch_requests` names."""
    for layer in _layers(evidence):
        logins = [t for t in layer.targets if t.controller == "devise/sessions" and t.action == "create"]
        for code in layer.named("devise.rb"):
            setting = _assigned(code, "dispatch_requests")
            if setting is None or not logins:
                continue
            patterns = [_regex(node) for node in walk(setting, "regex")]
            if not patterns or None in patterns:
                continue
            paths = [t.path for t in logins]
            if any(re.search(p, path) for p in patterns if p for path in paths):
                continue
            yield Finding(
                "rails-token-never-issued",
                f"devise-jwt hands out a token at the paths of dispatch_requests alone, and one logs in at {paths[0]}: "
                "the answer has no Authorization field.",
                {"auth-setting-wrong": NAMED, "no-credentials": HINT, **_LOOKALIKES},
                Where.of(code.source(setting)),
                "token-issued",
                HOP,
                fix=f"Let dispatch_requests name ['POST', %r{{^{paths[0]}$}}].",
            )
            return


def _assigned(code: Code, name: str) -> Node | None:
    """The value that is assigned to a setting of this name."""
    for node in walk(code.root, "assignment"):
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if text(left).rpartition(".")[2] == name and right is not None:
            return right
    return None


def _regex(node: Node) -> str | None:
    """A constant regular expression in Python's terms; None where something is put into it."""
    if any(child.type not in ("string_content", "escape_sequence") for child in node.named_children):
        return None
    found = "".join(text(child) for child in node.named_children)
    found = found.replace(r"\A", "^").replace(r"\z", "$").replace(r"\Z", "$").replace(r"\/", "/")
    try:
        re.compile(found)
    except re.error:
        return None
    return found


@rule
def session_without_middleware(evidence: Evidence) -> Iterator[Finding]:
    """`api_only` leaves cookies and sessions out, and Devise's login keeps the user in a session."""
    for layer in _layers(evidence):
        if (
            not layer.api_only
            or layer.jwt
            or re.search(r"devise_token_auth|simple_token|doorkeeper", layer.packages)
        ):
            continue
        asks = next(
            (
                c
                for one in layer.controllers.held.values()
                for c in one.calls(*BEFORE)
                if any(map(DEVISE.match, c.strings()))
            ),
            None,
        )
        config = "".join(code.document.text for code in layer.named("application.rb", "session_store.rb"))
        own = any(DEVISE.match(name) for one in layer.controllers.held.values() for name in one.methods)
        if (
            asks is None
            or own
            or not layer.packages
            or re.search(r"ActionDispatch::(?:Session|Cookies)|session_store", config)
        ):
            continue
        code = layer.named("config/application.rb")[0]
        line = next((n for n, t in enumerate(code.document.lines, 1) if re.search(r"\bapi_only\s*=", t)), 1)
        yield Finding(
            "rails-session-without-middleware",
            "api_only leaves out the middleware of cookies and sessions, and authenticate_user! looks for the user in "
            "the session: the login is forgotten with each request.",
            {"auth-not-wired": NAMED, "session-unknown": CLEAR, "cookie-not-issued": CLEAR, **_LOOKALIKES},
            Where.of(Source(code.document.name, line)),
            "session-middleware",
            HOP,
            fix="config.middleware.use ActionDispatch::Cookies, and ActionDispatch::Session::CookieStore likewise; or "
            "log in with tokens (devise-jwt).",
        )
        return


@check
def basic_not_taken(evidence: Evidence) -> Iterator[Finding]:
    """Devise reads Basic credentials only where `http_authenticatable` says so."""
    for one, layer, target in _asked(evidence):
        sent = authorization(one.request)
        asks = next((c for c, _ in layer.callbacks(target) if DEVISE.match(c.name)), None)
        if (
            sent is None
            or sent[0] != "basic"
            or asks is None
            or any(asks.name in held.methods for held in layer.controllers.held.values())
        ):
            continue
        devise = layer.named("devise.rb")
        setting = _assigned(devise[0], "http_authenticatable") if devise else None
        if not devise or (setting is not None and text(setting) not in ("false", "[]")):
            continue
        place = devise[0].source(setting) if setting is not None else asks.call.source
        yield Finding(
            "rails-basic-not-taken",
            "The request carries Basic credentials, and Devise does not read them: config.http_authenticatable is off.",
            {"feature-disabled": NAMED, "wrong-scheme": CLEAR, "wrong-password": AGAINST},
            Where.of(place),
            "demanded-scheme",
            HOP,
            fix="Set config.http_authenticatable = true in config/initializers/devise.rb.",
            edits=devise[0].replaced(setting, "true") if setting is not None else (),
        )
        return


@check
def session_emptied(evidence: Evidence) -> Iterator[Finding]:
    """`protect_from_forgery with: :null_session` empties the session of a request without the anti-forgery token."""
    for one, layer, target in _asked(evidence):
        owner = layer.controllers.at(target.controller)
        if owner is None or (one.request.method or "GET") in ("GET", "HEAD", "OPTIONS"):
            continue
        if "x-csrf-token" in one.request.fields or "cookie" not in one.request.fields:
            continue
        call = _forgery(layer, owner)
        how = names(options(call).get("with")) if call is not None else []
        if (
            call is None
            or how not in (["null_session"], ["reset_session"], ["exception"])
            or (how == ["exception"] and one.status == 401)
        ):
            continue
        yield Finding(
            "rails-session-emptied",
            "The request has a session's cookie and no X-CSRF-Token, and protect_from_forgery "
            + (
                "refuses it."
                if how == ["exception"]
                else "empties the session of such requests: nobody is logged in."
            ),
            {"csrf-rejected": NAMED, "session-expired": AGAINST, **_LOOKALIKES},
            Where.of(call.source),
            "csrf",
            HOP,
            fix="Send the token of csrf_meta_tags as X-CSRF-Token, or use tokens in place of cookies for this API.",
        )
        return


def _forgery(layer: Rails, one: Controller) -> Call | None:
    found = [
        c
        for ancestor in layer.controllers.lineage(one)
        for c in ancestor.calls("protect_from_forgery", "skip_forgery_protection")
    ]
    return found[-1] if found and found[-1].name == "protect_from_forgery" else None


@check
def token_hidden_from_the_page(evidence: Evidence) -> Iterator[Finding]:
    """A page of another origin reads Authorization of the answer only where CORS exposes it."""
    for one, layer, _ in _asked(evidence):
        origin = one.request.fields.get("origin") or ""
        if not layer.jwt or not origin or authorization(one.request) is not None:
            continue
        for code in layer.named("cors.rb"):
            calls = code.calls("resource")
            told = [names(options(c).get("expose")) for c in calls]
            if calls and not any("authorization" in (n.lower() for n in t) for t in told):
                yield Finding(
                    "rails-token-not-exposed",
                    "The login's token comes in the field Authorization of the answer, which CORS does not expose: a "
                    "page of another origin cannot read it, so it has none to send.",
                    {"auth-setting-wrong": STRONG, "no-credentials": CLEAR, **_LOOKALIKES},
                    Where.of(calls[0].source),
                    "cors",
                    HOP,
                    fix="Add expose: ['Authorization'] to the resource.",
                )
                return


@check
def session_cookie_kept_back(evidence: Evidence) -> Iterator[Finding]:
    """The session's cookie is bound to https, or to another host."""
    for one, layer, _ in _asked(evidence):
        if authorization(one.request) is not None:
            continue
        host = (one.request.split.hostname or "").lower()
        for code in layer.named("session_store.rb", "application.rb", "production.rb"):
            for call in code.calls("session_store"):
                held = options(call)
                domain = (string(held.get("domain")) or "").lstrip(".").lower()
                if text(held.get("secure")) == "true" and one.request.split.scheme == "http":
                    says, weights = "is marked Secure, and this is plain http", {"https-required": CLEAR}
                elif domain and host and host != domain and not host.endswith("." + domain):
                    says, weights = f"is for {domain}, and the host here is {host}", {"cookie-not-sent": HINT}
                else:
                    continue
                yield Finding(
                    "rails-session-cookie",
                    f"The session's cookie {says}: no browser keeps it.",
                    {
                        "cookie-not-stored": STRONG,
                        **weights,
                        "session-expired": AGAINST,
                        "wrong-password": AGAINST,
                    },
                    Where.of(call.source),
                    "session-cookie",
                    HOP,
                )
                return
