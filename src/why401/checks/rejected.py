"""Checks of the family `rejected`: the credential arrived, was read, and was not accepted.

What services say in words is in `signatures/`. Here stands what follows from the exchange itself: a
well-formed login that is answered by the same challenge again is, with nothing else to explain it, a wrong
password (RFC 9110, section 15.5.2); the same credential accepted elsewhere is not.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks import rejected_environment as rejected_environment  # registers its checks
from why401.checks import rejected_regions as rejected_regions
from why401.checks.credentials_offers import AUTHORIZATION, REDACTED, every, sent, troubled, where
from why401.evidence import Evidence, Exchange
from why401.findings import AGAINST, FAINT, HINT, RULED_OUT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import basic

_URL_HOST = lazy(r"(?i)https?://([\w.-]+)")
_LOGIN_PATH = lazy(r"(?i)/(?:log-?in|sign-?in|auth(?:enticate)?|session|token|oauth)")
_USER_HASH = lazy(r"(?m)^\s*[\"'-]*\s*([\w.@+-]{1,64}):(?:\$\$?(?:apr1|2[abxy]|5|6|1|y)\$|\{SHA\}|\{SSHA\})")


@check
def well_formed_and_refused(evidence: Evidence) -> Iterator[Finding]:
    """Good Basic credentials that are refused: the likely default is a wrong password."""
    for one in sent(evidence):
        if one.exchange is None or not one.exchange.refused or one.parsed.name != "basic":
            continue
        read = basic.decode(one.parsed.token68 or one.parsed.rest)
        if read.user is None or not read.password or read.problems or one.parsed.problems:
            continue
        asks = {challenge.name for challenge in one.asked}
        if asks and "basic" not in asks:
            continue
        says = "Well-formed Basic credentials were sent and refused; with nothing else to explain it, user or password is wrong."
        weights = {"wrong-password": 8.0, "unknown-user": FAINT, "no-credentials": RULED_OUT}
        yield Finding("well-formed-and-refused", says, weights, one.where, group="default")
        return


@check
def login_refused(evidence: Evidence) -> Iterator[Finding]:
    """A login form or JSON with user and password, answered 401."""
    for offer in evidence.offers:
        exchange = _numbered(evidence, offer.exchange)
        if exchange is None or offer.place != "body" or not exchange.refused:
            continue
        if offer.user and _LOGIN_PATH.search(exchange.request.path):
            says = "A user and a password were sent to the login and refused."
            weights = {"wrong-password": HINT, "unknown-user": FAINT, "login-body-not-read": 3.0}
            yield Finding("login-refused", says, weights, Where.at(exchange), group="default")
            return


@check
def works_elsewhere(evidence: Evidence) -> Iterator[Finding]:
    """The same credential is accepted at the same host: it is right, and the fault lies elsewhere."""
    good = {(x.request.host, v): x for x in evidence.succeeded for v in _values(x)}
    for refused in evidence.refused:
        for value in _values(refused):
            held = good.get((refused.request.host, value))
            if held is not None:
                says = f"The same credential was accepted in exchange {held.number}: user and password are right."
                weights = dict.fromkeys(
                    (
                        "wrong-password",
                        "unknown-user",
                        "credential-revoked",
                        "account-disabled",
                        "wrong-environment",
                    ),
                    RULED_OUT,
                )
                yield Finding("same-credential-accepted", says, weights, Where.at(refused, "Authorization"))
                return


def _values(exchange: Exchange) -> Iterator[str]:
    """The credentials of a request that can be compared: not those that change with every answer."""
    for name in AUTHORIZATION:
        for value in exchange.request.fields.all(name):
            if value.split(" ")[0].lower() in ("basic", "bearer", "token") and not REDACTED.search(value):
                yield value.strip()


def _numbered(evidence: Evidence, number: int | None) -> Exchange | None:
    return next((x for x in evidence.exchanges if x.number == number), None)


# Which of the accounts, credentials or clients works says much about the credential itself.
_CONTRASTS: dict[str, dict[str, float]] = {
    "client": {"wrong-password": AGAINST, "account-disabled": AGAINST, "credential-revoked": AGAINST},
    "user": {"account-disabled": HINT, "not-permitted": HINT, "wrong-password": FAINT, "unknown-user": FAINT},
    "credential": {"credential-revoked": HINT, "wrong-password": 6.0, "insufficient-scope": 5.0},
    "network": {"wrong-password": AGAINST, "account-disabled": AGAINST},
    "frequency": {"wrong-password": -12.0, "unknown-user": -12.0, "account-disabled": -12.0},
}  # fmt: skip


@check
def contrasts_of_credentials(evidence: Evidence) -> Iterator[Finding]:
    """What a contrast says for or against the credential."""
    for axis, weights in _CONTRASTS.items():
        found = next((c for c in evidence.contrasts if c.axis == axis), None)
        if found is not None:
            says = f"One {axis} works and another fails."
            yield Finding(
                f"contrast-{axis}-credential", says, weights, Where.of(found.source), group=f"contrast-{axis}"
            )


@check
def user_not_in_file(evidence: Evidence) -> Iterator[Finding]:
    """The password file is at hand, and the user that was sent is not in it."""
    users = {m.group(1) for text in evidence.texts for m in _USER_HASH.finditer(text.content)}
    if not users:
        return
    for offer in evidence.offers:
        if offer.user and (offer.scheme or "").lower() in ("basic", "") and offer.user not in users:
            near = next((user for user in users if user.lower() == offer.user.lower()), None)
            case = "; it differs in upper and lower case only" if near else ""
            says = f"The user that was sent is not among the {len(users)} of the password file{case}."
            yield Finding(
                "user-not-in-file",
                says,
                {"unknown-user": 22.0, "wrong-password": AGAINST},
                Where.of(offer.source),
            )
            return


# Hosts that take no account password from programs: (host, what they want).
_NO_PASSWORDS: tuple[tuple[str, str], ...] = (
    (r"(?:^|\.)github\.com$", "GitHub takes tokens only"),
    (r"\.atlassian\.net$", "Atlassian Cloud takes API tokens only"),
    (r"^(?:api\.)?bitbucket\.org$", "Bitbucket takes API tokens only"),
    (r"^dev\.azure\.com$|\.visualstudio\.com$", "Azure DevOps takes personal access tokens only"),
    (r"\.icloud\.com$|^mail\.me\.com$", "iCloud takes app-specific passwords only"),
    (r"^(?:git|api)\.heroku\.com$", "Heroku takes API keys only"),
    (r"^upload\.pypi\.org$|^test\.pypi\.org$", "PyPI takes API tokens only"),
    (r"^www\.googleapis\.com$|^apidata\.googleusercontent\.com$", "Google takes OAuth tokens only"),
    (r"\.zendesk\.com$", "Zendesk takes API tokens only"),
)  # fmt: skip


@check
def password_where_none_is_taken(evidence: Evidence) -> Iterator[Finding]:
    """A user and a password (nothing of a token's shape) for a service that takes no passwords."""
    for offer in evidence.offers:
        exchange = _numbered(evidence, offer.exchange)
        host = (exchange.request.host if exchange else None) or ""
        host = host.partition(":")[0].lower()
        wants = next((says for pattern, says in _NO_PASSWORDS if re.search(pattern, host)), None)
        if (
            wants is None
            or exchange is None
            or not exchange.refused
            or (offer.scheme or "").lower() != "basic"
        ):
            continue
        password = _password(offer.value.reveal() if offer.value else "", offer.place)
        if not password or len(password) > 39 or basic.token_shape(password) or REDACTED.search(password):
            continue
        if re.fullmatch(r"[0-9a-f]{40}|[a-z2-7]{52}", password):
            continue
        says = f"{wants}, and what was sent beside the user name has not the shape of one."
        yield Finding(
            "password-not-taken",
            says,
            {"password-login-disabled": 18.0, "wrong-password": AGAINST, "unknown-user": AGAINST},
            Where.at(exchange, "Authorization"),
            group="password-not-taken",
        )
        return


_PASSWORD_IN_CODE = (
    r"(?im)(?:pass(?:word|wd)?|\bpw|_auth|account|credentials?|basic_?auth|\bauth)\w*[\"']?\s*(?:=>|[:=(,])\s*"
    r"(?:\(\s*)?(?:[\"'][\w.+-]+(?:@[\w.-]+)?[\"']\s*,\s*)?[\"']([^\"'\s]{6,39})[\"']"
)


@check
def password_configured_where_none_is_taken(evidence: Evidence) -> Iterator[Finding]:
    """Code or settings hold a user and password, and the host that refuses takes no passwords."""
    if not troubled(evidence) or any(offer.exchange for offer in evidence.offers):
        return
    hosts = {m.group(1).lower() for text in evidence.texts for m in _URL_HOST.finditer(text.content)}
    wants = next((says for host in sorted(hosts) for p, says in _NO_PASSWORDS if re.search(p, host)), None)
    for match, at in every(evidence, _PASSWORD_IN_CODE) if wants else ():
        value = match.group(1)
        if basic.token_shape(value) or REDACTED.search(value) or re.search(r"[0-9a-f]{32}|://|\$\{|@", value):
            continue
        says = f"{wants}, and what is configured as password has not the shape of one."
        weights = {"password-login-disabled": 15.0, "wrong-password": -4.0}
        yield Finding("password-configured", says, weights, at, group="password-not-taken")
        return


def _password(value: str, place: str) -> str:
    """The password of a Basic offer: from a header it is still encoded, from a URL it is plain."""
    return value if place == "userinfo" else basic.decode(value).password or ""


# What people tell that bears on whether the credential is still good.
_TOLD: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("web-login-works", r"(?i)(?:web|browser|ui|portal|site|dashboard|page)\b[^.\n]{0,50}(?:log(?:in|s| ?in)?|sign)[^.\n]{0,40}(?:works?|fine|ok\b|accept|succe|possible)|\b(?:log(?:ging)? ?in|sign(?:ing)? ?in|login)\b[^.\n]{0,40}(?:web|browser|website|ui|portal|page)[^.\n]{0,40}(?:works?|fine|ok\b|accept|succe|possible)|same (?:user|password|credentials|login)[^.\n]{0,60}(?:log ?in|sign ?in|works?)[^.\n]{0,30}(?:web|browser|site|page)",
     "The same login works on the web page.", {"password-login-disabled": 8.0, "wrong-password": -5.0, "account-disabled": -5.0}),
    ("leaked", r"(?i)(?:commit+ed|pushed|posted|pasted|leaked|exposed|published)[^.\n]{0,60}(?:token|\bkey\b|secret|credential)|(?:token|\bkey\b|secret|credential|\.pypirc|\.npmrc|\.env\b)s?[^.\n]{0,50}(?:was visible|in the open|public repo|public gist|leaked|exposed|committed|pushed to git)",
     "The credential was made public; services revoke what they find.", {"credential-revoked": 14.0}),
    ("incident", r"(?i)security (?:incident|breach|notice)|incident report|data breach|secret scanning|compromised",
     "A security incident is named; tokens are revoked after one.", {"credential-revoked": 12.0}),
    ("person-left", r"(?i)left (?:the|our) (?:company|team|organi[sz]ation)|off-?board|former (?:colleague|employee|developer|maintainer)|no longer (?:with|works? (?:for|at|here))|whose last day|last day was|has (?:left|quit|retired|resigned)|account of [^.\n]{0,40}(?:was )?(?:removed|deleted|disabled)",
     "The person the credential belongs to has gone.", {"credential-revoked": 10.0, "account-disabled": 13.0}),
    ("new-one-works", r"(?i)(?:new(?:ly)?|fresh|another|regenerated|second)[^.\n]{0,25}(?:token|key|secret|pat|app password)[^.\n]{0,40}(?:works?|worked|fixe|solve|ok\b|fine|accepted)",
     "A new credential works where the old one fails.", {"credential-revoked": 11.0, "token-expired": 6.0, "wrong-password": 2.0, "upgrade-regression": AGAINST}),
    ("new-one-fails", r"(?i)(?:new(?:ly)?|fresh|another|regenerated|brand-?new)[^.\n]{0,30}(?:token|key|secret|pat|password)s?[^.\n]{0,50}(?:same|also|still|no (?:change|difference|luck)|does(?: not|n't) (?:help|work)|fail)",
     "A new credential fails in the same way.", {"credential-revoked": -12.0, "token-expired": -9.0, "wrong-password": -6.0, "stray-whitespace": -2.0}),
    ("another-account-works", r"(?i)(?:other|another|different|second|colleague'?s|test|admin) (?:user|account)s?[^.\n]{0,40}(?:works?|fine|can (?:log|access|see)|ok\b)",
     "Another account works.", {"account-disabled": 6.0, "not-permitted": 8.0, "wrong-password": FAINT, "insufficient-scope": FAINT}),
    ("unpaid", r"(?i)(?:invoice|payment|credit card|billing|subscription|trial|balance|quota)[^.\n]{0,60}(?:fail|declin|expired?|ended|overdue|used up|unpaid|zero|empty|cancel)",
     "The account seems to be unpaid or used up.", {"account-disabled": 12.0}),
    ("deleted", r"(?i)\b(?:I|we|he|she|somebody|someone|colleague|admin\w*|they|team)\b[^.\n]{0,25}\b(?:delet|remov|revok|rotat|regenerat|roll|clean|invalidat|reset|renew)\w*[^.\n]{0,50}\b(?:api|access|personal|old|unused|service)?[ -]?(?:keys?|tokens?|secrets?|pats?|credentials?|app passwords?)\b",
     "A key or token was deleted or replaced, and something may still use it.", {"credential-revoked": 12.0, "stored-credential-stale": 4.0}),
    ("accounts-changed", r"(?i)\bchang(?:ed|ing)\b[^.\n]{0,25}\b(?:accounts?|passwords?|passphrase|users?|login|credentials?|pin)\b",
     "Accounts or passwords were changed before.", {"wrong-password": 8.0, "stored-credential-stale": 6.0, "credential-revoked": 3.0}),
    ("new-password-works", r"(?i)(?:reset|changed|re-?entered|re-?typed|set|corrected)(?:ting|ing)? (?:the |my |a )?(?:new )?(?:password|secret|key)[^.\n]{0,60}(?:works?\b|worked|fixed|solved|helped|fine now)",
     "With the password set anew it works.", {"wrong-password": 14.0, "credential-revoked": 3.0}),
)  # fmt: skip


@check
def told_about_credential(evidence: Evidence) -> Iterator[Finding]:
    """What people tell of the credential and its account."""
    if not troubled(evidence):
        return
    for id, pattern, says, weights in _TOLD:
        if re.search(pattern, evidence.prose):
            found = where(evidence, pattern)
            yield Finding(f"told-{id}", says, weights, found[1] if found else Where(), group=f"told-{id}")


# WooCommerce looks the Basic user up as a consumer key, so a WordPress user name can never be found.
@check
def user_where_a_key_is_looked_up(evidence: Evidence) -> Iterator[Finding]:
    """A user name is sent where the service looks up a key by it."""
    for offer in evidence.offers:
        exchange = _numbered(evidence, offer.exchange)
        if exchange is None or not exchange.refused or not offer.user:
            continue
        if re.search(r"/wc/v\d|/wc-api/", exchange.request.url or "") and not offer.user.startswith("ck_"):
            says = "WooCommerce takes the Basic user for a consumer key (ck_…), and another name was sent."
            weights = {
                "unknown-user": STRONG,
                "password-login-disabled": HINT,
                "wrong-password": AGAINST,
                "not-permitted": -4.0,
            }
            yield Finding("user-for-a-key", says, weights, Where.at(exchange, "Authorization"))
            return
