"""ASP.NET Core: the order of the pipeline, default schemes, and what AddJwtBearer is not told.

References: *ASP.NET Core Middleware* (order), *Configure JWT bearer authentication*, the sources of
Microsoft.IdentityModel (IDX10204, IDX10208, IDX10653, IDX10720).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from why401.checks import check, rule
from why401.checks.code_questions import applications, asked, requests
from why401.evidence import Evidence, Source
from why401.findings import AGAINST, CLEAR, NAMED, STRONG, Finding, Where
from why401.layers.applications import authorization
from why401.layers.aspnet import HOP, AspNet
from why401.layers.model import Edit
from why401.layers.syntax import Call, text

SHORTEST = 32  #: bytes of a key for HS256 (RFC 7518, 3.2)
_LOGIN = (
    r"(?i)^(?:log-?in|sign-?in|sign-?up|register|authenticate|token|get-?token|generate-?token|"
    r"refresh(?:-?token)?)(?:async)?$"
)


def _found(
    slug: str, says: str, cause: str, source: Source, fix: str, edits: tuple[Edit, ...] = (), **more: float
) -> Finding:
    weights = {cause: NAMED, "wrong-password": AGAINST, "no-credentials": AGAINST} | {
        k.replace("_", "-"): v for k, v in more.items()
    }
    return Finding(slug, says, weights, Where.of(source), slug, HOP, fix=fix, edits=edits)


def _moved(layer: AspNet, late: Call, early: Call) -> tuple[Edit, ...]:
    """The edits that put a statement before another."""
    nodes = []
    for call in (late, early):
        at = call.node
        while at.parent is not None and at.type not in ("expression_statement", "global_statement"):
            at = at.parent
        nodes.append(at)
    return layer.code.moved(nodes[0], nodes[1])


@rule
def authorization_before_authentication(evidence: Evidence) -> Iterator[Finding]:
    """UseAuthorization before UseAuthentication asks for a user whom nobody has read yet."""
    for layer in applications(evidence, AspNet):
        first, second = layer.call("UseAuthorization"), layer.call("UseAuthentication")
        if (
            first is None
            or second is None
            or first.on != second.on
            or layer.calls.index(first) > layer.calls.index(second)
        ):
            continue
        yield _found(
            "aspnet-authorization-first",
            "UseAuthorization comes before UseAuthentication: no request has a user when it is asked for one.",
            "auth-not-wired",
            first.source,
            "Call UseAuthentication before UseAuthorization.",
            _moved(layer, second, first),
        )


@rule
def authentication_not_used(evidence: Evidence) -> Iterator[Finding]:
    """A pipeline of the generic host without UseAuthentication; WebApplication adds it by itself since .NET 7."""
    for layer in applications(evidence, AspNet):
        used = layer.call("UseAuthorization")
        added = layer.call("AddAuthentication")
        if (
            used is None
            or added is None
            or layer.call("UseAuthentication", "UseIdentityServer")
            or layer.call("CreateBuilder", "CreateSlimBuilder")
        ):
            continue
        if any(name in layer.code.document.text for name in ("AddAuthenticationSchemes", "AddMvc(")):
            continue  # a policy that names its schemes authenticates by itself
        line = layer.code.line_text(used.line)
        indent = line[: len(line) - len(line.lstrip())]
        new = f"{indent}{used.on}.UseAuthentication();"
        yield _found(
            "aspnet-authentication-not-used",
            "Authentication is set up, but UseAuthentication is never called: every request is anonymous.",
            "auth-not-wired",
            used.source,
            "Call UseAuthentication before UseAuthorization.",
            (Edit(layer.code.document, used.line, used.line - 1, (new,)),),
        )


@rule
def identity_takes_the_default(evidence: Evidence) -> Iterator[Finding]:
    """AddIdentity makes the cookie the default scheme; AddAuthentication("Bearer") does not take that back."""
    for layer in applications(evidence, AspNet):
        identity, added, jwt = (
            layer.call("AddIdentity"),
            layer.call("AddAuthentication"),
            layer.call("AddJwtBearer"),
        )
        if identity is None or added is None or jwt is None:
            continue
        said = "".join(text(arg) for arg in added.args)
        named = "DefaultAuthenticateScheme" in said and layer.calls.index(added) > layer.calls.index(identity)
        text_ = " ".join(code.document.text for code in layer.codes)
        if named or re.search(
            r"AuthenticationSchemes|AddPolicyScheme|ForwardDefaultSelector|DefaultPolicy", text_
        ):
            continue
        place = added if layer.calls.index(added) > layer.calls.index(identity) else identity
        yield _found(
            "aspnet-identity-takes-default",
            "AddIdentity makes its cookie the default scheme, so [Authorize] never reads the bearer token.",
            "auth-not-wired",
            place.source,
            "After AddIdentity set DefaultAuthenticateScheme and DefaultChallengeScheme to JwtBearerDefaults."
            "AuthenticationScheme in AddAuthentication, or name the scheme in [Authorize].",
            auth_setting_wrong=CLEAR,
        )


@rule
def nothing_to_compare_with(evidence: Evidence) -> Iterator[Finding]:
    """Issuer or audience of a token is checked (the default), and no valid one is named: IDX10204, IDX10208."""
    for layer in applications(evidence, AspNet):
        jwt, held = layer.call("AddJwtBearer"), layer.options
        if (
            jwt is None
            or "TokenValidationParameters" not in held
            or any(".Schemes." in f".{key}." for key in layer.settings)
        ):
            continue
        parts = {
            "issuer": (
                "ValidateIssuer",
                (
                    "ValidIssuer",
                    "ValidIssuers",
                    "IssuerValidator",
                    "Authority",
                    "MetadataAddress",
                    "Configuration",
                    "ConfigurationManager",
                ),
                "IDX10204",
            ),
            "audience": (
                "ValidateAudience",
                ("ValidAudience", "ValidAudiences", "AudienceValidator", "Audience"),
                "IDX10208",
            ),
        }
        for name, (switch, values, code) in parts.items():
            if (
                "new" not in text(held["TokenValidationParameters"])
                or text(held.get(switch)) == "false"
                or any(v in held for v in values)
            ):
                continue
            place = held.get(switch) or held["TokenValidationParameters"]
            yield _found(
                f"aspnet-no-valid-{name}",
                f"The token's {name} is checked ({switch} is on unless switched off), and no valid {name} is named: "
                f"every token is refused ({code}).",
                "auth-setting-wrong",
                layer.code.source(place),
                f"Set Valid{name.capitalize()} to the {name} of the tokens.",
                (),
            )


@rule
def key_too_short(evidence: Evidence) -> Iterator[Finding]:
    """A key for HS256 below 256 bits is refused by the library itself."""
    for layer in applications(evidence, AspNet):
        value = layer.value(layer.key_node)
        if (
            value is None
            or not value.text
            or len(value.text.encode()) >= SHORTEST
            or re.search(r"[<>{}$]", value.text)
        ):
            continue
        yield Finding(
            "aspnet-key-too-short",
            f"The key has {len(value.text.encode()) * 8} bits, and HS256 needs 256: the library refuses it (IDX10720).",
            {"auth-setting-wrong": STRONG, "bad-signature": CLEAR},
            Where.of(value.source),
            group="aspnet-key",
            stack=HOP,
            fix="Make a random key of at least 32 bytes, for signing and for verifying.",
        )


@rule
def login_is_guarded(evidence: Evidence) -> Iterator[Finding]:
    """The action by which one logs in asks for the login."""
    held = requests(evidence)
    for layer in applications(evidence, AspNet):
        for one in layer.endpoints:
            guard = one.guarded or (
                layer.code.source(layer.fallback) if layer.fallback is not None and one.open is None else None
            )
            last = (one.path or "").rpartition("/")[2] or one.name
            if (
                guard is None
                or one.method not in ("POST", "")
                or not (re.match(_LOGIN, last) or re.match(_LOGIN, one.name))
            ):
                continue
            if one.roles or (held and not any(one.fits(request) for request in held)):
                continue
            name = one.path or one.name
            found = _found(
                "aspnet-login-guarded",
                f"{name} is where one logs in, and it asks for the login.",
                "auth-rule-unintended",
                guard,
                "Put [AllowAnonymous] on the action (AllowAnonymous() on a minimal endpoint).",
                _anonymous(layer, one.source),
            )
            yield replace(found, opens=name)


def _anonymous(layer: AspNet, source: Source) -> tuple[Edit, ...]:
    """The edit that puts [AllowAnonymous] above a controller's action."""
    for code in layer.codes:
        line = code.line_text(source.line or 0)
        if code.document.name == source.name and re.match(r"\s*(?:public|async)\b", line):
            indent = line[: len(line) - len(line.lstrip())]
            return (
                Edit(code.document, source.line or 1, (source.line or 1) - 1, (f"{indent}[AllowAnonymous]",)),
            )
    return ()


@rule
def same_site_none_without_secure(evidence: Evidence) -> Iterator[Finding]:
    """A cookie with SameSite=None that is never Secure is refused by browsers."""
    for layer in applications(evidence, AspNet):
        said = layer.code.document.text
        match = re.search(r"Cookie\.SameSite\s*=\s*SameSiteMode\.None", said)
        if match and re.search(r"Cookie\.SecurePolicy\s*=\s*CookieSecurePolicy\.None", said):
            yield _found(
                "aspnet-none-without-secure",
                "The cookie has SameSite=None and is never Secure: browsers refuse it.",
                "cookie-not-stored",
                Source(layer.root.name, layer.root.line_of(match.start())),
                "Set Cookie.SecurePolicy = CookieSecurePolicy.Always.",
            )


@check
def bearer_where_cookies_are_read(evidence: Evidence) -> Iterator[Finding]:
    """The request has a bearer token, and the application adds no scheme that reads one."""
    for layer, one, routes in asked(evidence, AspNet):
        given = authorization(one.request)
        cookie = layer.call("AddCookie", "AddIdentity", "AddDefaultIdentity")
        if given is None or given[0] != "bearer" or layer.schemes or cookie is None or not routes[0].demands:
            continue
        yield Finding(
            "aspnet-cookies-alone",
            "The request carries a bearer token, and this application reads nothing but its cookie.",
            {"wrong-scheme": STRONG, "auth-not-wired": CLEAR},
            Where.of(cookie.source),
            group="demanded-scheme",
            stack=HOP,
            fix="Add AddJwtBearer, or log in by the form.",
        )
