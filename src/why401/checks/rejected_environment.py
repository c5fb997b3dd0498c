"""Checks of `wrong-environment`: a credential that is good elsewhere.

Sandbox and live, regions, tenants and twin platforms each keep their own accounts. What the credential, its
name or its claims say of where it belongs is compared with where it was sent.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from why401.checks import check
from why401.checks.credentials_offers import every, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import CLEAR, HINT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import jwt

#: Words for one environment; the two columns never share accounts.
_TRIAL = r"sandbox|test|tst|staging|stage|stg|demo|qa|uat|dev|preprod|pre-prod|int"
_REAL = r"live|prod|production"
_HOST = lazy(r"https?://([\w.-]+)", re.I)
_TRIAL_HOST = lazy(rf"(?:^|[.-])(?:{_TRIAL})(?:\d*)(?:[.-]|$)|sandbox", re.I)
_REAL_KEY = lazy(
    rf"\b(?:[a-z]{{1,6}}_)(?:{_REAL})_\w|(?<![A-Z_])(?:LIVE|PROD|PRODUCTION)_\w*(?:KEY|TOKEN|SECRET|CLIENT|PASS)\w*\s*[=:]",
    0,
)
_TRIAL_KEY = lazy(
    r"\b(?:[a-z]{1,6}_)(?:test|sandbox)_\w|(?<![A-Z_])(?:SANDBOX|TEST|STAGING|DEMO)_\w*(?:KEY|TOKEN|SECRET|CLIENT|PASS)\w*\s*[=:]",
    0,
)
_REGION = lazy(
    r"\b((?:us|eu|ap|sa|ca|me|af|il|cn|mx)-(?:gov-)?(?:north|south|east|west|central|northeast|southeast|northwest|southwest)-\d)\b"
)


@check
def keys_and_hosts(evidence: Evidence) -> Iterator[Finding]:
    """Keys of one environment with hosts of the other."""
    if not troubled(evidence):
        return
    hosts = {m.group(1).lower() for text in evidence.texts for m in _HOST.finditer(text.content)}
    called = {(x.request.host or "").lower() for x in evidence.refused} - {""} or hosts
    trial_host = next((host for host in sorted(called) if _TRIAL_HOST.search(host)), None)
    real = where(evidence, _REAL_KEY.pattern, 0)
    trial = where(evidence, _TRIAL_KEY.pattern, 0)
    if trial_host and real and not trial:
        says = f"The key is one for live use, and the host {trial_host} is a trial one."
        yield Finding(
            "live-key-trial-host", says, {"wrong-environment": STRONG}, real[1], group="environment"
        )
    told = re.search(
        r"(?i)\b(?:production|live) (?:host|url|endpoint|server|mode|environment|api|site)", evidence.prose
    )
    if trial and told and not real and not trial_host:
        says = "The key is one for trials, and the live service is called."
        yield Finding("trial-key-live-host", says, {"wrong-environment": 15.0}, trial[1], group="environment")


# What a setting named mode or environment may hold, for SDKs that fall back in silence.
_MODES: tuple[tuple[str, str, str], ...] = (
    (r"paypal", r"live|sandbox", "PayPal's SDKs know live and sandbox; any other word means the sandbox"),
    (r"braintree", r"production|sandbox|development|qa", "Braintree knows production and sandbox"),
    (r"adyen", r"live|test", "Adyen knows live and test"),
    (r"plaid", r"production|sandbox|development", "Plaid knows sandbox, development and production"),
    (r"square", r"production|sandbox", "Square knows production and sandbox"),
    (r"\bxero\b|quickbooks|intuit", r"production|sandbox", "The service knows production and sandbox"),
)  # fmt: skip
_MODE = r"(?:key|name)=[\"'](?:mode|environment|env)[\"']\s+value=[\"'](\w+)[\"']|\b[\"']?(?:\w*[._-])?(?:mode|environment|env)[\"']?\s*(?:=>|[:=])\s*[\"']?(\w+)"


@check
def mode_unknown_to_sdk(evidence: Evidence) -> Iterator[Finding]:
    """A mode that the SDK does not know and replaces in silence."""
    if not troubled(evidence):
        return
    for product, known, says in _MODES:
        if not evidence.search(product):
            continue
        for match, at in every(evidence, _MODE):
            value = (match.group(1) or match.group(2)).lower()
            if value in (
                "production",
                "prod",
                "live",
                "sandbox",
                "test",
                "development",
                "dev",
            ) and not re.fullmatch(known, value):
                yield Finding(
                    "mode-unknown",
                    f"The mode is {value!r}. {says}.",
                    {"wrong-environment": 22.0},
                    at,
                    group="environment",
                )
                return


@check
def region_of_signature(evidence: Evidence) -> Iterator[Finding]:
    """The region of the credential scope (AWS SigV4) against that of the host."""
    for match, at in every(evidence, r"Credential=[^/\s]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request"):
        hosts = {x.request.host or "" for x in evidence.refused} or {evidence.prose}
        for host in hosts:
            found = _REGION.search(host)
            if found and found.group(1) != match.group(1):
                says = f"The signature is for the region {match.group(1)}, the host is in {found.group(1)}."
                yield Finding(
                    "region-of-signature",
                    says,
                    {"wrong-environment": 18.0, "request-signature-mismatch": 12.0},
                    at,
                )
                return


_TENANT = lazy(r"(?:login\.microsoftonline\.com|sts\.windows\.net)/([0-9a-f]{8}-[0-9a-f-]{27})", re.I)


@check
def tenants(evidence: Evidence) -> Iterator[Finding]:
    """A token of one tenant where another is named."""
    wanted = {m.group(1).lower() for text in evidence.texts for m in _TENANT.finditer(text.content)}
    wanted |= {
        m.group(1).lower()
        for m, _ in every(evidence, r"tenant[_-]?id[\"']?\s*[:=]\s*[\"']?([0-9a-f]{8}-[0-9a-f-]{27})")
    }
    for claims, at in _tokens(evidence):
        tenant = str(claims.get("tid", "")).lower()
        if tenant and wanted and tenant not in wanted:
            says = "The token is of another Entra tenant (tid) than the one that is configured."
            yield Finding(
                "other-tenant",
                says,
                {"wrong-environment": 16.0, "wrong-issuer": 12.0},
                at,
                group="environment",
            )
            return


@check
def issuer_of_other_environment(evidence: Evidence) -> Iterator[Finding]:
    """A token whose issuer is a trial host, sent to a live one, or the other way round."""
    refused = {(x.request.host or "").lower().partition(":")[0] for x in evidence.refused} - {""}
    for claims, at in _tokens(evidence):
        issuer = _host_of(str(claims.get("iss", "")))
        if not issuer or "." not in issuer:
            continue
        for host in refused:
            if _private(host) or bool(_TRIAL_HOST.search(issuer)) == bool(_TRIAL_HOST.search(host)):
                continue
            says = f"The token was issued by {issuer}, and {host} is of another environment."
            yield Finding(
                "issuer-environment",
                says,
                {"wrong-environment": 14.0, "wrong-issuer": HINT, "bad-signature": 3.0},
                at,
                group="environment",
            )
            return


def _private(host: str) -> bool:
    return host == "localhost" or "." not in host or bool(re.fullmatch(r"[\d.]+", host))


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _tokens(evidence: Evidence) -> Iterator[tuple[dict[str, object], Where]]:
    for one in sent(evidence):
        if one.refused:
            for _, token in jwt.find(one.value):
                yield dict(jwt.decode(token).claims), one.where


# Tokens whose first letters name their service, and the hosts of that service.
_TOKENS: tuple[tuple[str, str, str], ...] = (
    (r"sk-ant-", r"anthropic|claude", "Anthropic"),
    (r"sk-or-", r"openrouter", "OpenRouter"),
    (r"sk-proj-", r"openai", "OpenAI"),
    (r"gsk_", r"groq", "Groq"),
    (r"xai-", r"x\.ai", "xAI"),
    (r"AIza", r"google", "Google"),
    (r"hf_", r"huggingface|hf\.co", "Hugging Face"),
    (r"gh[pousr]_|github_pat_", r"github|ghcr", "GitHub"),
    (r"glpat-|gldt-", r"gitlab", "GitLab"),
    (r"xox[bpars]-", r"slack", "Slack"),
    (r"SG\.", r"sendgrid", "SendGrid"),
    (r"pypi-AgENdGVzdC5weXBpLm9yZw", r"test\.pypi", "the test site of PyPI"),
    (r"pypi-AgEIcHlwaS5vcmc", r"(?<!test\.)pypi\.org", "PyPI"),
    (r"ATATT", r"atlassian|bitbucket", "Atlassian"),
    (r"dckr_pat_", r"docker", "Docker Hub"),
    (r"npm_", r"npmjs|npm\.pkg", "npm"),
    (r"shpat_", r"shopify", "Shopify"),
)  # fmt: skip
_FAMILY = "|".join(f"(?:{host})" for _, host, _ in _TOKENS)


@check
def token_of_another_service(evidence: Evidence) -> Iterator[Finding]:
    """A token that by its first letters belongs to another service than the host."""
    for one in sent(evidence):
        host = (one.exchange.request.host if one.exchange else None) or ""
        value = one.parsed.rest or one.value
        for shape, home, service in _TOKENS:
            if re.match(shape, value) and host and re.search(_FAMILY, host) and not re.search(home, host):
                says = f"By its first letters the token belongs to {service}, and it was sent to {host}."
                yield Finding(
                    "token-of-another-service",
                    says,
                    {"wrong-environment": 19.0, "wrong-token-type": HINT, "wrong-password": 3.0},
                    one.where,
                )
                return


# What people tell about two places that keep separate accounts.
_TOLD: tuple[tuple[str, str, dict[str, float]], ...] = (
    (r"(?i)(?:works?|fine|ok)\b[^.\n]{0,40}\b(?:in|on|with|against|for)\b[^.\n]{0,20}\b(?:sandbox|staging|test|dev|development|demo)\b[^.\n]{0,80}\b(?:production|prod|live)\b",
     "It works in one environment and fails in another.", {"wrong-environment": 11.0}),
    (r"(?i)\b(?:eu|us|europe\w*|asia|china|chinese|international|global|\.cn|\.eu)\b[^.\n]{0,30}\b(?:account|region|listener|host|cluster|api|url|site|endpoint|platform|data ?cent(?:er|re)|instance|subscription|server)\b",
     "A region or twin platform is named.", {"wrong-environment": 8.0}),
    (r"(?i)\b(?:sandbox|test)[- ](?:key|account|token|credential|mode)s?\b", "A sandbox credential is named.", {"wrong-environment": 6.0}),
    (r"(?i)(?:key|token|account|credential|secret)s?[^.\n]{0,40}(?:from|of|in|made on|created (?:in|on)|copied from) (?:the )?(?:\w+ )?(?:live|sandbox|staging|production|test|other|dev|cn|eu)\b",
     "It is told which environment the credential comes from.", {"wrong-environment": 8.0}),
    (r"(?i)(?:switch|chang|mov|migrat)\w*[^.\n]{0,40}(?:from (?:dev|qa|test|staging|stage|prod|sandbox)\w* to|contexts?\b|cluster|region|tenant|instance|environment|workspace|subscription|organi[sz]ation)\b",
     "A move to another cluster, region or tenant is told.", {"wrong-environment": 8.0, "stored-credential-stale": 5.0}),
    (
        r"(?i)\b(?:sandbox|staging|test)\b[^.\n]{0,80}[;,.]?[^.\n]{0,20}\b(?:production|prod|live)\b[^.\n]{0,40}(?:fine|works?|ok\b|correct)|\b(?:production|live)\b[^.\n]{0,60}(?:fails?|40[13])[^.\n]{0,40}\b(?:sandbox|staging|test)\b[^.\n]{0,30}(?:fine|works?|ok\b)",
        "It works in one environment and fails in another.",
        {"wrong-environment": 12.0},
    ),
    (r"(?i)\b(?:dev|development|staging|test|sandbox)\b[^.\n]{0,60}\b(?:on|at|against|to|with|calls?|for)\b[^.\n]{0,30}\b(?:prod|production|live)\b",
     "Something of a trial environment meets the live one.", {"wrong-environment": 10.0}),
)  # fmt: skip


@check
def told_environments(evidence: Evidence) -> Iterator[Finding]:
    """What people tell of environments."""
    if not troubled(evidence):
        return
    for number, (pattern, says, weights) in enumerate(_TOLD):
        if re.search(pattern, evidence.prose):
            found = where(evidence, pattern)
            yield Finding(
                f"told-environment-{number}",
                says,
                weights,
                found[1] if found else Where(),
                group="told-environment",
            )


@check
def kubeconfig_crossed(evidence: Evidence) -> Iterator[Finding]:
    """A kubeconfig whose context joins the user of one cluster with another cluster."""
    for text in evidence.texts:
        if "current-context" not in text.content or len(re.findall(r"(?m)^\s*server:", text.content)) < 2:
            continue
        for match in re.finditer(
            r"context:\s*\n\s+cluster:\s*(\S+)\s*\n(?:\s+namespace:.*\n)?\s+user:\s*(\S+)", text.content
        ):
            cluster, user = match.groups()
            names = set(re.findall(r"(?m)^\s*(?:- )?name:\s*(\S+)", text.content)) - {cluster, user}
            if any(name in user for name in names) and cluster not in user:
                says = f"The context joins the cluster {cluster} with the user {user} of another one."
                yield Finding(
                    "kubeconfig-crossed",
                    says,
                    {"wrong-environment": CLEAR + 4},
                    Where.of(text.source.at(text.line_at(match.start()))),
                )
                return


#: Regions of clouds as hosts write them, without spaces.
_CLOUD_REGIONS = lazy(
    r"\b((?:(?:north|south|west)?(?:central|east|west)|north|south|west|east)(?:us|europe|india|asia)[23]?"
    r"|(?:uk|japan|korea|canada|australia|france|germany|brazil)(?:south|west|east|central|northeast|southeast|westcentral)"
    r"|(?:swiss|switzerland|norway|uae|sweden|poland|italy)\w{4,8}|southeastasia|eastasia|westcentralus)\b"
)


@check
def regions_differ(evidence: Evidence) -> Iterator[Finding]:
    """The region in the host is not the one that is told or set for the account."""
    if not troubled(evidence):
        return
    hosts = " ".join(sorted({m.group(1).lower() for t in evidence.texts for m in _HOST.finditer(t.content)}))
    without = _HOST.sub(" ", "\n".join(text.content for text in evidence.texts)).lower()
    told = set(_CLOUD_REGIONS.findall(without)) | set(_REGION.findall(without))
    words = re.findall(
        r"\b(?:(?:south|north|west|east|central) ?){1,2}(?:us|europe|india|asia)\b(?: [23]\b)?", without
    )
    told |= {word.replace(" ", "") for word in words}
    called = set(_CLOUD_REGIONS.findall(hosts)) | set(_REGION.findall(hosts))
    if told and called and not told & called and "credential=" not in without:
        says = f"The host is in {sorted(called)[0]}, and {sorted(told)[0]} is the region that is named."
        found = where(evidence, re.escape(sorted(called)[0]))
        weights = {"wrong-environment": 15.0}
        yield Finding("regions-differ", says, weights, found[1] if found else Where(), group="environment")


_CONTINENT_HOST = lazy(r"(?:^|[.-])(eu|us)\d?(?:[.-]|$)", re.I)


@check
def continents_differ(evidence: Evidence) -> Iterator[Finding]:
    """A host of one continent, and an account of the other."""
    hosts = {m.group(1).lower() for text in evidence.texts for m in _HOST.finditer(text.content)}
    named = {m.group(1).lower() for host in hosts if (m := _CONTINENT_HOST.search(host))}
    own = {
        m.lower()[:2]
        for m in re.findall(r"\b(US|EU|Europe)\w* (?:region|account|instance|data ?cent)", evidence.prose)
    }
    if named and own and not named & own and troubled(evidence):
        says = f"The host is one for {sorted(named)[0].upper()}, and the account is told to be in {sorted(own)[0].upper()}."
        yield Finding("continents-differ", says, {"wrong-environment": 16.0}, Where(), group="environment")
