"""Checks of the family `permission`: the caller is known, and may not.

A 403 should say so (RFC 9110, section 15.5.4), yet many services answer 401, and registries answer the same
for what is missing and what is private. Scopes that were asked for or granted are compared with those needed.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks import permission_hidden as permission_hidden  # registers its checks
from why401.checks.credentials_offers import asked, every, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import AGAINST, HINT, NAMED, RULED_OUT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import jwt


@check
def scope_in_challenge(evidence: Evidence) -> Iterator[Finding]:
    """error="insufficient_scope" (RFC 6750, section 3.1), with what the token has."""
    for exchange in evidence.refused:
        for challenge in asked(exchange):
            if challenge.params.get("error") != "insufficient_scope":
                continue
            lacking = _lacking(challenge.params.get("scope", "").split(), evidence)
            says = "The challenge says insufficient_scope" + (
                f"; the token lacks {', '.join(lacking)}." if lacking else "."
            )
            weights = {"insufficient-scope": NAMED + 3, "not-permitted": AGAINST, "token-expired": RULED_OUT}
            yield Finding(
                "scope-in-challenge",
                says,
                weights,
                Where.at(exchange, "WWW-Authenticate"),
                group="named:insufficient-scope",
            )
            return


def _lacking(wanted: list[str], evidence: Evidence) -> list[str]:
    held = {scope for scopes, _ in _granted(evidence) for scope in scopes}
    return [scope for scope in wanted if scope not in held] if held else []


def _granted(evidence: Evidence) -> Iterator[tuple[tuple[str, ...], Where]]:
    """The scopes of the tokens that were refused."""
    for one in sent(evidence):
        for _, token in jwt.find(one.value) if one.refused else ():
            yield jwt.decode(token).scopes, one.where


@check
def github_scopes(evidence: Evidence) -> Iterator[Finding]:
    """GitHub tells which scopes the token has and which of them the endpoint accepts."""
    has = where(evidence, r"(?im)^[<*\s]*x-oauth-scopes:[ \t]*(.*)$")
    accepts = where(evidence, r"(?im)^[<*\s]*x-accepted-oauth-scopes:[ \t]*(\S.*)$")
    if has is None or accepts is None:
        return
    held = {word.strip() for word in has[0].group(1).split(",")} - {""}
    wanted = {word.strip() for word in accepts[0].group(1).split(",")} - {""}
    parents = {word.split(":")[0] for word in wanted} | {f"admin:{word.partition(':')[2]}" for word in wanted}
    if wanted and not held & (wanted | parents):
        says = f"The endpoint accepts {', '.join(sorted(wanted))}; the token has {', '.join(sorted(held)) or 'no scope'}."
        yield Finding(
            "github-scopes",
            says,
            {"insufficient-scope": NAMED},
            has[1],
            group="named:insufficient-scope",
            stack="github",
        )


# What a workflow step does, and the permission that it needs.
_STEPS: tuple[tuple[str, str], ...] = (
    (r"git push|git-auto-commit|create-pull-request|softprops/action-gh-release|gh release|semantic-release|peaceiris/actions-gh-pages|changesets/action|gh-pages", "contents"),
    (r"ghcr\.io|docker push|npm\.pkg\.github|maven\.pkg\.github|nuget\.pkg\.github", "packages"),
    (r"gh pr |pulls/|create-pull-request|pull-request-comment", "pull-requests"),
    (r"gh issue|issues/|github-script|labeler|stale@", "issues"),
    (r"configure-aws-credentials|google-github-actions/auth|azure/login|gh-action-pypi-publish|cosign|id-token", "id-token"),
    (r"deploy-pages", "pages"),
    (r"upload-sarif|codeql", "security-events"),
)  # fmt: skip


@check
def workflow_permissions(evidence: Evidence) -> Iterator[Finding]:
    """A GitHub workflow that writes with its own token, without the permission to."""
    if not troubled(evidence) and not evidence.search("denied"):
        return
    for text in evidence.texts:
        if not re.search(r"(?m)^\s*runs-on:", text.content):
            continue
        own = re.search(r"GITHUB_TOKEN|github\.token|actions/checkout", text.content)
        granted = set(re.findall(r"(?m)^\s+([a-z-]+):\s*write\b", text.content))
        if own is None or "write-all" in text.content:
            continue
        for pattern, need in _STEPS:
            step = re.search(pattern, text.content)
            if step and need not in granted:
                line = text.source.at(text.line_at(step.start()))
                says = f"This step needs the permission {need}: write, and the workflow does not grant it."
                weight = STRONG if "permissions:" in text.content else 15.0
                fix = f'Add "permissions: {need}: write" to the job.'
                yield Finding(
                    "workflow-permissions",
                    says,
                    {"insufficient-scope": weight, "not-permitted": 4.0},
                    Where.of(line),
                    stack="github",
                    fix=fix,
                )
                return


# Endpoints and the scopes one of which they need: (endpoint, scopes).
_ENDPOINTS: tuple[tuple[str, str], ...] = (
    (r"spotify\.com/v1/me/player/currently-playing", "user-read-currently-playing user-read-playback-state"),
    (r"spotify\.com/v1/me/player/recently-played", "user-read-recently-played"),
    (r"spotify\.com/v1/me/player/(?:play|pause|next|previous|seek|volume|shuffle|repeat|queue)", "user-modify-playback-state"),
    (r"spotify\.com/v1/me/player(?:[\s:?\"']|/devices|$)", "user-read-playback-state"),
    (r"spotify\.com/v1/me/top/", "user-top-read"),
    (r"spotify\.com/v1/me/(?:tracks|albums|shows|episodes)", "user-library-read user-library-modify"),
    (r"spotify\.com/v1/me/following", "user-follow-read user-follow-modify"),
    (r"spotify\.com/v1/(?:users/[^/\s]+|me)/playlists|/playlists/[^/\s]+/tracks", "playlist-read-private playlist-modify-public playlist-modify-private playlist-read-collaborative"),
    (r"gmail\.googleapis\.com/\S*/messages/send", "gmail.send gmail.compose gmail.modify mail.google.com"),
    (r"gmail\.googleapis\.com|gmail/v1", "gmail.readonly gmail.modify mail.google.com gmail.metadata gmail.labels"),
    (r"/drive/v\d", "drive"),
    (r"/calendar/v\d", "calendar"),
    (r"youtube/v3", "youtube"),
    (r"sheets\.googleapis", "spreadsheets drive"),
    (r"graph\.microsoft\.com/\S*sendMail", "Mail.Send"),
    (r"graph\.microsoft\.com/\S*/messages", "Mail.Read Mail.ReadWrite Mail.ReadBasic"),
    (r"graph\.microsoft\.com/v1\.0/users", "User.Read.All User.ReadBasic.All Directory.Read.All User.ReadWrite.All"),
    (r"api\.github\.com/user/emails", "user:email user"),
    (r"api\.twitch\.tv/helix/channels/followers", "moderator:read:followers"),
    (r"strava\.com/api/v3/athlete/activities", "activity:read activity:read_all"),
    (r"discord\.com/api/\S*users/@me/guilds", "guilds"),
)  # fmt: skip
_SCOPES = r"(?i)[\"']?\bscopes?[\"']?\s*(?:=>|[:=(])\s*[\[({]?\s*(?:new\s*\w*\[?\]?\s*[\[{(]\s*)?((?:[\"'`][^\"'`\n]+[\"'`][\s,]*)+)"


@check
def scopes_asked(evidence: Evidence) -> Iterator[Finding]:
    """The scopes that the code asks for, against the need of the endpoint that refuses."""
    if not troubled(evidence):
        return
    found = list(every(evidence, _SCOPES))
    if not found:
        return
    requested = " ".join(match.group(1) for match, _ in found)
    called = " ".join(
        [x.request.url or "" for x in evidence.refused]
        + [t.content for t in evidence.texts if t.kind not in ("code", "settings")]
    )
    for endpoint, scopes in _ENDPOINTS:
        if re.search(endpoint, called):
            if not any(scope in requested for scope in scopes.split()):
                says = f"The endpoint needs the scope {scopes.split()[0]}, and the code does not ask for it."
                yield Finding(
                    "scopes-asked",
                    says,
                    {"insufficient-scope": STRONG, "token-expired": -4.0},
                    found[0][1],
                    group="scopes",
                )
            return


_REQUIRED = r"(?:has(?:Any)?(?:Authority|Scope)\(\s*[\"'](?:SCOPE_)?|require[sd]?_?scopes?[\"']?\s*[(=:]\s*\[?\s*[\"']|RequiredScope\([\"']|requiresScope\(\[?[\"']|Security\([^\n]*scopes=\[[\"']|RequireClaim\([\"']scope?[\"'],\s*[\"'])([\w:.\-/]+)"


@check
def scopes_required_in_code(evidence: Evidence) -> Iterator[Finding]:
    """A scope that the server's code wants and the token has not."""
    for scopes, at in _granted(evidence):
        for match, _ in every(evidence, _REQUIRED):
            if scopes and match.group(1) not in scopes:
                says = f"The server wants the scope {match.group(1)}; the token has {' '.join(scopes)}."
                yield Finding(
                    "scope-required",
                    says,
                    {"insufficient-scope": 18.0, "not-permitted": 5.0},
                    at,
                    group="scopes",
                )
                return


@check
def some_paths_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The same credential is good for one path or method and refused for another of the same host."""
    for refused in evidence.refused:
        value = refused.request.fields.get("authorization")
        for good in evidence.succeeded:
            if (
                not value
                or good.request.fields.get("authorization") != value
                or good.request.host != refused.request.host
            ):
                continue
            if re.match(r"(?i)digest|negotiate|ntlm|aws4", value):
                continue
            method = (
                good.request.path == refused.request.path and good.request.method != refused.request.method
            )
            if good.request.path == refused.request.path and not method:
                continue
            says = "The credential is accepted there for another " + ("method." if method else "path.")
            weights = {"insufficient-scope": 10.0, "not-permitted": 11.0, "resource-hidden": 4.0}
            yield Finding("some-paths-allowed", says, weights, Where.at(refused), group="contrast-path")
            return


# Rules of access that name users, groups or roles; a plain "any user" is none.
_RULE = lazy(
    r"(?im)^\s*(?!#)(?:Require\s+(?:user|group|ldap-\w+|dbm-group|claim|expr)\s+.+|<add accessType=\"Allow\" (?:users|roles)=\"(?!\*)[^\"]+\".*|\[Authorize\((?:Roles|Policy)\s*=.*|.*@(?:RolesAllowed|Secured|PreAuthorize)\(.*|.*\.has(?:Any)?Role\(.*|.*permission_classes\s*=.*IsAdminUser.*|.*restrict_to_groups.*|.*allowed_groups.*)$"
)


@check
def access_rule(evidence: Evidence) -> Iterator[Finding]:
    """A rule of access by user, group or role stands in the configuration."""
    if not troubled(evidence):
        return
    for text in evidence.texts:
        match = _RULE.search(text.content)
        if match:
            users = re.match(r"\s*Require\s+user\s+(.+)", match.group(), re.I)
            offered = {offer.user for offer in evidence.offers if offer.user}
            out = (
                bool(users) and bool(offered) and not offered & set(users.group(1).split())
                if users
                else False
            )
            says = (
                "The user that was sent is not in the rule."
                if out
                else "A rule admits only certain users, groups or roles."
            )
            weights = {"not-permitted": 20.0 if out else 9.0, "insufficient-scope": 3.0}
            yield Finding(
                "access-rule",
                says,
                weights,
                Where.of(text.source.at(text.line_at(match.start()))),
                group="access-rule",
            )
            return


@check
def forbidden_to_a_known_user(evidence: Evidence) -> Iterator[Finding]:
    """403 for a request with credentials, where the words do not speak of the credential itself."""
    for exchange in evidence.refused:
        offered = any(
            o.exchange == exchange.number and o.place in ("field", "cookie") for o in evidence.offers
        )
        if exchange.status == 403 and offered and not asked(exchange):
            says = "The answer is 403, not 401: the caller may be known and lack the right."
            yield Finding(
                "forbidden",
                says,
                {"not-permitted": 5.0, "insufficient-scope": 4.0, "wrong-password": -5.0},
                Where.at(exchange),
                group="status",
            )
            return


# What people tell about rights.
_TOLD: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("read-works", r"(?i)(?:read|pull|get|list|clone|fetch|download)\w*[^.\n]{0,40}(?:works?|fine|ok\b|succeed)[^.\n]{0,80}(?:writ|push|post|put|delet|upload|publish|creat|updat)\w*[^.\n]{0,40}(?:fail|401|403|not|refus|denied)",
     "Reading works and writing does not.", {"insufficient-scope": 12.0, "not-permitted": 11.0, "wrong-password": AGAINST, "token-expired": AGAINST}),
    ("admin-works", r"(?i)(?:admin|owner|root|superuser)\w*[^.\n]{0,50}(?:works?|can\b|fine|ok\b|succe)[^.\n]{0,80}(?:normal|other|regular|non-admin|user|editor|member)|(?:normal|regular|non-admin|other) users?[^.\n]{0,60}(?:can(?:not|'t)|get|401|403|fail)",
     "It works for administrators only.", {"not-permitted": 13.0, "insufficient-scope": 5.0}),
    ("private", r"(?i)\bprivate (?:repo|repositor|project|package|image|registry|feed|channel|model)\w*", "Something private is named.", {"resource-hidden": HINT, "no-credentials": 2.0, "client-config-not-loaded": 3.0}),
    ("valid-user-works", r"(?i)(?:with|using|after|when|if)[^.\n]{0,40}(?:valid-user|IsAuthenticated|any user|permitAll|anonymous)[^.\n]{0,60}(?:works?|gets? in|fine|ok\b)",
     "With any user admitted it works: the rule about groups or users is what refuses.", {"not-permitted": 14.0}),
    ("plan", r"(?i)\b(?:free|basic|paid|pro|premium|enterprise|trial) (?:plan|tier|account|subscription|licen[cs]e)\b", "The plan of the account is named.", {"insufficient-scope": 6.0, "account-disabled": 3.0}),
)  # fmt: skip


@check
def told_about_rights(evidence: Evidence) -> Iterator[Finding]:
    """What people tell of rights and private things."""
    if not troubled(evidence):
        return
    for id, pattern, says, weights in _TOLD:
        if re.search(pattern, evidence.prose):
            found = where(evidence, pattern)
            yield Finding(f"told-{id}", says, weights, found[1] if found else Where(), group=f"told-{id}")
