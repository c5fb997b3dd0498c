"""Regional and twin services of `wrong-environment`: one product at several addresses that share no accounts.

The address that an example names is seldom that of the reader's own account, and each address says no more
than "invalid" to the keys of its twins.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import every, troubled, where
from why401.evidence import Evidence
from why401.findings import HINT, Finding, Where

#: Products that keep accounts apart by region or country: (host, the product and its places).
_REGIONAL: tuple[tuple[str, str], ...] = (
    (r"\blogz\.io\b", "Logz.io has a listener for each region of accounts"),
    (r"\bdatadoghq\.(?:com|eu)\b|ddog-gov\.com", "Datadog has separate sites (us1, us3, us5, eu1, ap1)"),
    (r"\b(?:[\w-]+\.)*(?:newrelic|nr-data)\.(?:com|net)\b", "New Relic keeps EU and US accounts apart"),
    (r"\b(?:eu|us)\.(?:i\.)?posthog\.com\b|app\.posthog\.com", "PostHog has an EU and a US cloud"),
    (r"\b(?:[\w-]+\.)?sentry\.io\b", "Sentry keeps organisations in the US or in Germany"),
    (r"\bapi(?:\.eu)?\.mailgun\.net\b", "Mailgun has an EU and a US address"),
    (r"\bapi(?:\.eu)?\.opsgenie\.com\b|\bapp\.(?:eu\.)?snyk\.io\b|\bapi\.(?:eu\.)?pagerduty\.com\b", "The service has an EU and a US address"),
    (r"\bapi(?:-eu|-in)?\.mixpanel\.com\b|\bapi2?(?:\.eu)?\.amplitude\.com\b|api\.(?:eu\.|au\.)?intercom\.io", "The service keeps accounts apart by region"),
    (r"\b(?:accounts|www|mail|crm|books|desk|people)\.zoho(?:apis)?\.(?:com|eu|in|com\.au|jp|com\.cn)\b|zohoapis\.", "Zoho has data centres that share no accounts"),
    (r"\bapi\.(?:minimaxi?|minimax)\.(?:com|io|chat)\b|\bapi\.moonshot\.(?:ai|cn)\b|\b(?:open\.bigmodel\.cn|api\.z\.ai)\b|dashscope(?:-intl|-us)?\.aliyuncs\.com|api\.siliconflow\.(?:com|cn)\b|ark\.cn-\w+\.volces\.com", "The service has a Chinese and an international platform that share no keys"),
    (r"\b(?:fleet-api\.prd\.(?:na|eu|cn)\.vn\.cloud\.tesla|owner-api\.(?:teslamotors|vn\.cloud\.tesla))", "Tesla has an address for each region"),
    (r"\bopenapi\.tuya\w*\.com\b|\b(?:cn|us|eu|as)-api\.coolkit\.cc\b|api\.io\.mi\.com|gateway\.isolarcloud|intl\.fusionsolar|server\.growatt|(?:eu|us)api\.\w+\.com", "The maker's cloud keeps accounts apart by region"),
    (r"\b(?:test|login)\.salesforce\.com\b", "Salesforce has login for live accounts and test for sandboxes"),
    (r"\baccount(?:-d)?\.docusign\.com\b|\bdemo\.docusign\.net\b", "Docusign keeps demo and live accounts apart"),
    (r"\b(?:\w+\.)*(?:clockify\.me|helicone\.ai|segment(?:apis)?\.(?:com|io)|braze\.(?:com|eu)|stape\.(?:io|ai)|echosign\.com|adobesign\.com|sumologic\.com|honeycomb\.io|contentful\.com|storyblok\.com|contentstack\.\w+|auth0\.com|langfuse\.com|smith\.langchain\.com|elevenlabs\.io|deepl\.com|customer\.io)\b", "The service has several zones or platforms that share no keys"),
    (r"\b(?:vault|api|identity)\.bitwarden\.(?:com|eu)\b", "Bitwarden has an EU and a US server"),
    (r"\b[\w-]+\.(?:openai\.azure\.com|cognitiveservices\.azure\.(?:com|cn|us)|api\.cognitive\.microsoft\.com)\b", "An Azure key belongs to one resource in one region"),
    (r"\bapi\.(?:test\.)?(?:ebay|sandbox\.ebay)\.com\b|\b(?:api-m\.)?(?:sandbox\.)?paypal\.com\b|\bsandbox\.plaid\.com\b", "The service keeps sandbox and live keys apart"),
)  # fmt: skip
_KEY_REFUSED = r"(?i)(?:token|key|api[-_ ]?key|credential|account|secret|licen[cs]e)s?\b[^.\n]{0,40}\b(?:not valid|invalid|unknown|not found|not recogni[sz]ed|does not exist|incorrect|rejected|refused)|(?:invalid|unknown|incorrect|bad|wrong)\b[^.\n]{0,25}\b(?:token|key|credential|account)|\b401\b|\b403\b"
#: A second place where the same value stands: the page of the service that shows it.
_VALUE = r"(?m)[\w -]{0,30}(?:token|key|secret)[\w ]{0,12}[\"']?\s*[:=]\s*[\"']?([\w.-]{16,})"


@check
def regional_service(evidence: Evidence) -> Iterator[Finding]:
    """A service with several regions or platforms does not know the key."""
    if not troubled(evidence) or not evidence.search(_KEY_REFUSED):
        return
    for host, says in _REGIONAL:
        found = where(evidence, host)
        if found is not None:
            yield Finding(
                "regional-service",
                f"{says}; a key of another one is refused as unknown.",
                {"wrong-environment": 9.0},
                found[1],
                group="regional",
                fix="Compare the address with the region or platform that the account's own page names.",
            )
            return


@check
def same_value_on_the_page(evidence: Evidence) -> Iterator[Finding]:
    """The value that is refused is the one that the service's own page shows: it is no slip of the pen."""
    seen: dict[str, Where] = {}
    for match, at in every(evidence, _VALUE):
        value = match.group(1)
        held = seen.setdefault(value, at)
        if held.source != at.source and troubled(evidence):
            says = "The key is, letter for letter, the one that another place shows: it was copied rightly."
            weights = {"wrong-environment": 6.0, "wrong-password": -6.0, "placeholder-credential": -6.0}
            yield Finding("same-value-elsewhere", says, weights, at)
            return


_WHERE_I_LIVE = r"(?i)\b(?:we|i|account|registered|signed up|organi[sz]ation|tenant|subscription|car|vehicle|device)\b[^.\n]{0,40}\b(?:in|from|of) (?:europe|the eu|the us|usa|china|asia|germany|france|india|japan|australia|canada|the uk|brazil|korea)\b"


@check
def place_is_told(evidence: Evidence) -> Iterator[Finding]:
    """People tell where they or their accounts are only where they think that it matters."""
    told = where(evidence, _WHERE_I_LIVE)
    if told is not None and troubled(evidence):
        says = "The country or region of the account is told."
        yield Finding("place-told", says, {"wrong-environment": HINT}, told[1], group="told-environment")


_TWIN = r"(?<![\w/])([a-z][a-z0-9]{1,20})[-_.](dev|test|stage|staging|prod|production|live|sandbox|qa|uat)\b"
_SAME = {"stage": "staging", "production": "prod", "live": "prod"}


@check
def twin_names(evidence: Evidence) -> Iterator[Finding]:
    """Two names that differ by the environment alone: what belongs to one meets the other."""
    if not troubled(evidence):
        return
    seen: dict[str, set[str]] = defaultdict(set)
    for match, at in every(evidence, _TWIN):
        stem, name = match.group(1).lower(), match.group(2).lower()
        seen[stem].add(_SAME.get(name, name))
        if len(seen[stem]) > 1 and stem not in ("http", "https", "npm", "build", "start"):
            says = "Two names differ by the environment alone: what belongs to one may meet the other."
            yield Finding("twin-names", says, {"wrong-environment": 14.0}, at, group="environment")
            return


_WENT_LIVE = r"(?i)\b(?:chang|switch|mov|set|point)\w*[^.\n]{0,30}\b(?:host|url|endpoint|mode|base|api|environment)\w*[^.\n]{0,20}\bto (?:the )?(?:production|live|prod)\b|\b(?:went|going|go) live\b"


@check
def went_live(evidence: Evidence) -> Iterator[Finding]:
    """The address was changed to the live one, which knows no sandbox keys."""
    told = where(evidence, _WENT_LIVE)
    if told is not None and troubled(evidence):
        weights = {"wrong-environment": 17.0, "oauth-client-rejected": -6.0, "wrong-password": -4.0}
        says = "The address was changed to the live one, and live and trial keys differ."
        yield Finding("went-live", says, weights, told[1], group="went-live")


_PAIR = (
    r"(?s)(?:user(?:name)?|login)[\"']?\s*(?:>|[:=])\s*[\"']?([\w.@-]{2,40})(?:[\"']|</user\w*>|\s|,){1,6}"
    r"<?[\"']?(?:password|passwd|pass)[\"']?\s*(?:>|[:=])\s*[\"']?([^\s\"'<>${}]{3,60})(?=[\"'<\s,]|$)"
)


@check
def two_passwords(evidence: Evidence) -> Iterator[Finding]:
    """The same user has one password at the server and another at the client."""
    held: dict[str, tuple[str, Where]] = {}
    for match, at in every(evidence, _PAIR) if troubled(evidence) else ():
        user, password = match.groups()
        known = held.setdefault(user, (password, at))
        if known[0] != password and known[1].source != at.source:
            says = f"Two places hold different passwords ({len(known[0])} and {len(password)} characters) for the same user."
            weights = {"wrong-password": 24.0, "challenge-not-answered": -4.0}
            yield Finding("two-passwords", says, weights, at)
            return
