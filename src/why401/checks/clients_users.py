"""Checks of the user name beside a token: many services want a fixed word there, not the account's name.

The table holds what betrays the service, the user names that it takes with a token, and its name; the user
that was offered is found in options, settings, URLs and Basic credentials.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import anywhere, every, sent, troubled
from why401.evidence import Evidence
from why401.findings import Finding, Where
from why401.prefilter import lazy
from why401.protocol import basic

#: marker of the service and token → pattern of the user names that it takes, what it wants, weight.
_WANTED: tuple[tuple[str, str, str, float], ...] = (
    (
        r"pypi-[A-Za-z0-9_\[]|upload\.pypi\.org|test\.pypi\.org/legacy",
        r"__token__",
        "PyPI takes a token only with the user name __token__",
        21.0,
    ),
    (
        r"\.dkr\.ecr\.[\w-]+\.amazonaws\.com|ecr get-login-password",
        r"AWS",
        "Amazon ECR takes its password only with the user name AWS",
        22.0,
    ),
    (
        r"(?:gcr\.io|pkg\.dev)[\s\S]*(?:print-access-token|ya29\.)|(?:print-access-token|ya29\.)[\s\S]*(?:gcr\.io|pkg\.dev)",
        r"oauth2accesstoken|_dcgcloud_token",
        "Google's registries take an access token only with the user name oauth2accesstoken",
        21.0,
    ),
    (
        r"(?:gcr\.io|pkg\.dev)[\s\S]*\"?private_key|(?:gcr\.io|pkg\.dev)[\s\S]*(?:key\.json|keyfile|service[-_ ]account)",
        r"_json_key(?:_base64)?",
        "Google's registries take a key file only with the user name _json_key",
        19.0,
    ),
    (
        r"azurecr\.io[\s\S]*(?:expose-token|accessToken)|(?:expose-token|accessToken)[\s\S]*azurecr\.io",
        r"0{8}-0{4}-0{4}-0{4}-0{12}",
        "Azure's registry takes an access token only with the user name of zeros",
        20.0,
    ),
    (
        r"CI_JOB_TOKEN",
        r"gitlab-ci-token|\$\{?CI_REGISTRY_USER\}?|\$\{?CI_JOB_\w+\}?",
        "GitLab takes a job token only with the user name gitlab-ci-token",
        24.0,
    ),
    (
        r"gldt-|deploy[- ]token",
        r"gitlab\+deploy-token-\d+|\$\{?CI_DEPLOY_USER\}?|[\w.+-]+",
        "GitLab takes a deploy token with its own user name",
        0.0,
    ),
    (
        r"ghs_[A-Za-z0-9]{4}|installation (?:access )?token",
        r"x-access-token",
        "GitHub takes an installation token with the user name x-access-token",
        22.0,
    ),
    (
        r"bitbucket[\s\S]*(?:repository|project|workspace) access token|ATCTT",
        r"x-token-auth|x-bitbucket-api-token-auth",
        "Bitbucket takes an access token only with the user name x-token-auth",
        19.0,
    ),
    (
        r"nvcr\.io|ngc\.nvidia",
        r"\$oauthtoken|\\\$oauthtoken",
        "NVIDIA's registry takes an API key only with the user name $oauthtoken",
        21.0,
    ),
    (
        r"smtp\.sendgrid|sendgrid\.net",
        r"apikey",
        "SendGrid takes an API key only with the user name apikey",
        20.0,
    ),
    (r"api\.mailgun\.net", r"api", "Mailgun takes its key with the user name api", 18.0),
    (
        r"dl\.cloudsmith\.io|cloudsmith",
        r"token|[\w.-]+",
        "Cloudsmith takes an entitlement with the user name token",
        0.0,
    ),
    (
        r"\.zendesk\.com[\s\S]*api[ _-]?token|api[ _-]?token[\s\S]*\.zendesk\.com",
        r"[^\s/]+@[^\s/]+/token",
        "Zendesk takes an API token with user e-mail/token",
        18.0,
    ),
    (
        r"\.atlassian\.net",
        r"[^\s@:\"']+@[^\s@:\"']+\.\w+",
        "Atlassian Cloud takes an API token with the account's e-mail address as user",
        20.0,
    ),
    (
        r"api\.bitbucket\.org[\s\S]*(?:API token|ATATT)|(?:API token|ATATT)[\s\S]*api\.bitbucket\.org",
        r"[^\s@:\"']+@[^\s@:\"']+\.\w+|x-bitbucket-api-token-auth",
        "Bitbucket's API takes an API token with the account's e-mail address as user",
        18.0,
    ),
    (
        r"bitbucket\.org[\s\S]*app[ -]?passwords?|app[ -]?passwords?[\s\S]*bitbucket\.org",
        r"[^\s@:\"']+",
        "Bitbucket takes an app password with the user name, not the e-mail address",
        19.0,
    ),
    (
        r"(?:docker\.io|hub\.docker\.com|Login with your Docker ID|dckr_pat_|index\.docker)",
        r"[^\s@:\"']+",
        "Docker Hub takes an access token with the Docker ID, not the e-mail address",
        18.0,
    ),
    (
        r"quay\.io[\s\S]*robot|robot[\s\S]*quay\.io",
        r"[\w.-]+\+[\w.-]+|\$\w+",
        "Quay's robot accounts are called organisation+robot",
        18.0,
    ),
    (
        r"harbor[\s\S]*robot|robot[\s\S]*harbor",
        r"robot\\?[$+].+|[^\s]*\$[^\s]+|[^\s]*<[^\s]*",
        "Harbor's robot accounts are called robot$name",
        17.0,
    ),
    (r"dev\.azure\.com|pkgs\.visualstudio\.com|pkgs\.dev\.azure\.com", r".*", "", 0.0),
    (
        r"SonarQube|sonarcloud|sonar\.(?:token|login)|squ_|sqp_",
        r"squ_\w+|sqp_\w+|sqa_\w+|[0-9a-f]{40}|\$\{?\w+\}?|<.*",
        "SonarQube takes a token in place of the user, with an empty password",
        15.0,
    ),
    (r"rubygems\.pkg\.github|rubygems\.org", r".*", "", 0.0),
)

_OFFERED = (
    r"(?:(?<=\s)-u[ =]?|--user(?:name)?[ =]|--docker-username[ =]|--http-user[ =]|--creds[ =])[\"']?([^\s:\"']+)",
    r"[(,]\s*(?:username|user|login|user_name)\s*=\s*[\"']([^\"']+)[\"']",
    r"^\s*[\"']?(?:username|user|login|USERNAME|TWINE_USERNAME|[A-Z_]*_USER(?:NAME)?|sonar\.login|email)[\"']?\s*[:=]\s*[\"']?([^\s\"',]+)",
    r"[\"'](?:username|user|login)[\"']\s*:\s*[\"']([^\"']+)[\"']",
    r"https?://([^\s/:@\"'<>]+):[^\s/@\"']+@",
    r"^\s*(?:Enter your )?[Uu]ser ?name(?: for '[^']*')?(?: \([^)]*\))?:\s*(\S+)",
    r"machine\s+\S+\s+login\s+(\S+)",
    r"(?:HTTPBasicAuth|auth\s*=\s*|basic_auth\s*=\s*|basicAuth)\(?\(?[\"']([^\"']+)[\"']\s*,",
    r"<username>([^<]+)</username>",
)
_NO_USER = lazy(
    r"^(?:\$\{?\{?(?!GITLAB_USER).*|<.*|\{\{.*|None|null|true|false|\*+|x{3,}|\[.*|your.*|user(?:name)?)$",
    re.I,
)


@check
def user_for_token(evidence: Evidence) -> Iterator[Finding]:
    """The service wants a certain user name beside a token, and another was given."""
    if not troubled(evidence):
        return
    users = list(_users(evidence))
    for marker, takes, wants, weight in _WANTED:
        found = anywhere(evidence, marker) if weight and users else None
        if not found:
            continue
        wrong = [(user, at) for user, at in users if not re.fullmatch(takes, user)]
        if wrong and len(wrong) == len(users):
            says = f"{wants}; another was given."
            weights = {
                "wrong-user-name-for-token": weight,
                "wrong-password": -4.0,
                "unknown-user": 2.0,
                "password-login-disabled": -14.0,
                "stored-credential-stale": -8.0,
            }
            yield Finding("user-for-token", says, weights, wrong[0][1], group="user-for-token")
            return


def _users(evidence: Evidence) -> Iterator[tuple[str, Where]]:
    for pattern in _OFFERED:
        for match, at in every(evidence, pattern, re.M):
            user = match.group(1).strip("\"',;")
            if not _NO_USER.match(user):
                yield user, at
    for one in sent(evidence):
        if one.parsed.name == "basic" and one.refused:
            pair = basic.decode(one.parsed.rest)
            if pair.user:
                yield pair.user, one.where


@check
def token_as_user(evidence: Evidence) -> Iterator[Finding]:
    """Words that tell the token's name or an application's name used as the user."""
    if not troubled(evidence):
        return
    table = (
        (
            r"(?:name|label|title|description) of (?:the|my|its) (?:only )?(?:api |access |personal |deploy |app )?(?:token|key|(?:application |app )?password)",
            14.0,
        ),
        (r"(?:token|key|app(?:lication)? password)(?:'s)? name (?:as|for) (?:the )?user", 16.0),
        (
            r"(?:e-?mail(?: address)?|login)\b[^.\n]{0,40}\b(?:instead of|rather than|not|as)\b[^.\n]{0,20}\b(?:user ?name|docker id|login name|user id)",
            12.0,
        ),
        (r"user ?name\b[^.\n]{0,30}\b(?:should|must|has to|needs to) be\b", 12.0),
        (r"display name|nick ?name|full name[^.\n]{0,30}(?:user|login)", 5.0),
    )
    for pattern, weight in table:
        found = next(every(evidence, pattern), None)
        if found and re.search(r"token|key|password", "\n".join(t.content for t in evidence.texts), re.I):
            weights = {"wrong-user-name-for-token": weight, "unknown-user": 3.0}
            yield Finding(
                "user-in-words",
                "The words name another thing than the account as user name.",
                weights,
                found[1],
                group="user-in-words",
            )
            return


@check
def token_in_place_of_user(evidence: Evidence) -> Iterator[Finding]:
    """`https://TOKEN@host`: the token is the user, and the password is missing (GitLab wants `oauth2:TOKEN@`)."""
    pattern = r"https?://(?:glpat-[\w-]*|<[\w -]*token[\w -]*>|\$\{?\w*TOKEN\w*\}?|\*{3,})@(?P<host>[\w.-]*(?:gitlab|bitbucket|gitea|dev\.azure)[\w.-]*)"
    found = next(every(evidence, pattern), None)
    if found and troubled(evidence):
        says = "The token stands where the user belongs, and no password follows; this host wants a user before it."
        yield Finding(
            "token-is-user",
            says,
            {"wrong-user-name-for-token": 22.0, "password-login-disabled": -8.0, "wrong-password": -4.0},
            found[1],
            group="user-for-token",
        )


@check
def application_password_name(evidence: Evidence) -> Iterator[Finding]:
    """An application password (six groups of four) beside a user name with blanks: its label, or a display name."""
    pattern = r"(?:-u|--user)[ =]?[\"']([^\"':]* [^\"':]*):(?:[A-Za-z0-9]{4} ){3,5}[A-Za-z0-9]{4}[\"']"
    found = next(every(evidence, pattern), None)
    if found:
        says = (
            "The user name beside the application password has blanks: it looks like a label or display name."
        )
        yield Finding(
            "label-as-user", says, {"wrong-user-name-for-token": 16.0, "unknown-user": 9.0}, found[1]
        )
