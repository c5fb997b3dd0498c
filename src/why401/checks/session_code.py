"""What code does with cookies: keeps none, forwards none, or does not ask the browser for them.

A table: where every pattern of `has` and none of `lacks` is found in one text of code, the rule speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from why401.checks import check
from why401.evidence import Evidence, Text
from why401.findings import CLEAR, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

_CODE_KINDS = frozenset({"code", "message", "terminal", "settings", "body"})
_COOKIE_LOGIN = (
    r"cookie|session|passport|sanctum|JSESSIONID|PHPSESSID|connect\.sid|set-cookie|withCredentials"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`has` and `lacks` are looked for in one text; `around` anywhere in the evidence."""

    id: str
    says: str
    has: tuple[str, ...]
    lacks: tuple[str, ...]
    weights: Mapping[str, float]
    around: tuple[str, ...] = ()
    group: str = ""


_NOT_SENT = {"cookie-not-sent": STRONG + 2, "no-credentials": 4.0}
_RULES: tuple[Rule, ...] = (
    Rule(
        "server-side-fetch",
        "The page is rendered on the server, and its fetch there does not hand the browser's cookies on.",
        (
            r"getServerSideProps|getInitialProps|['\"]use server['\"]|from ['\"]next/headers"
            r"|export (async )?(function|const) (load|loader|getData)\b|export default async function"
            r"|useAsyncData|asyncData\s*\(|\+page\.server|createServerFn",
            r"\b(fetch|\$fetch|axios(\.\w+)?|useFetch|ky|got|api\.\w+|http\.\w+)\s*(<[^>]*>)?\(",
        ),
        (r"[Cc]ookie['\"]?\s*[:(\]]|cookies\(\)\.toString|useRequestHeaders|useRequestFetch"
         r"|headers:\s*(await )?headers\(\)|event\.fetch|\{[^}]*\bfetch\b[^}]*\}\s*[:)]|Authorization|Bearer",),
        _NOT_SENT,
        (_COOKIE_LOGIN, r"\b(401|403)\b|[Uu]nauthori[sz]ed"),
    ),
    Rule(
        "python-requests-no-session",
        "Each call of requests stands alone: without a Session the login's cookie is not kept.",
        (
            r"requests\.(post|put)\([\s\S]{0,160}(log-?in|sign-?in|session|auth|j_security_check)",
            r"requests\.(post|put)\([\s\S]*requests\.(get|post|put|delete|patch)\(",
        ),
        (r"requests\.[sS]ession|cookies\s*=|Authorization|auth\s*=|headers\[|[\"']token|access_token",),
        _NOT_SENT,
    ),
    Rule(
        "dotnet-use-cookies-off",
        "UseCookies is off, so the .NET client keeps no cookies.",
        (r"UseCookies\s*=\s*false",),
        (),
        _NOT_SENT,
    ),
    Rule(
        "curl-no-jar",
        "curl logs in without a cookie jar (-c) and the next call sends no cookie (-b).",
        (
            r"curl\b[^\n]*(log-?in|sign-?in|/session|j_security_check|/auth)[^\n]*",
            r"set-cookie:",
            r"set-cookie:[\s\S]*\bcurl\b[\s\S]*\b401\b",
        ),
        (r"curl[^\n]*\s(-c|-b|--cookie(-jar)?)\b|[Cc]ookie: |Authorization:",),
        _NOT_SENT,
    ),
    Rule(
        "okhttp-no-jar",
        "OkHttp keeps no cookies unless it is given a cookie jar.",
        (r"OkHttpClient",),
        (r"cookieJar|CookieJar|Authorization|addHeader\(\"[Cc]ookie",),
        {"cookie-not-sent": CLEAR},
        (r"set-cookie|session", r"\b401\b"),
    ),
    Rule(
        "node-http-no-jar",
        "Node's HTTP clients keep no cookies: the one of the login has to be sent by the code.",
        (
            r"(axios|fetch|got|needle|request)[\w.]*\([\s\S]{0,80}(log-?in|sign-?in)",
            r"require\(['\"](axios|node-fetch|got|needle)|from ['\"](axios|node-fetch|got|undici)|supertest",
        ),
        (r"[Cc]ookie|withCredentials|jar|agent\(|Authorization|Bearer|token|window\.|document\.|React|vue|createRoot",),
        {"cookie-not-sent": STRONG},
        (r"set-cookie|session|cookie",),
    ),
    Rule(
        "powershell-no-session",
        "Each Invoke call stands alone without -WebSession, so the login's cookie is not sent.",
        (r"Invoke-(RestMethod|WebRequest)[\s\S]*(log-?in|sign-?in|session)[\s\S]*Invoke-(RestMethod|WebRequest)",),
        (r"-?(Web)?SessionVariable|-WebSession|Authorization|[Tt]oken",),
        _NOT_SENT,
    ),
    Rule(
        "browser-code-asks-for-no-cookies",
        "The browser's code calls another origin without asking for credentials, so no cookie goes along.",
        (r"\bfetch\s*\(|axios\.(get|post|put|delete|patch|create|request)|\$http\.|\$\.(ajax|get|post|getJSON)"
         r"|XMLHttpRequest|this\.http\.(get|post|put|delete)|HttpClientModule|superagent|ofetch",),
        (r"credentials\s*:|withCredentials|Authorization|Bearer|getServerSideProps|next/headers|x-api-key|api_?key",
         r"require\(['\"](node-fetch|express)['\"]\)"),
        {"fetch-credentials-omitted": STRONG, "cookie-not-sent": 4.0},
        (_COOKIE_LOGIN, r"Access-Control|\bcors\b|cross-origin|^Origin:|localhost:\d+[\s\S]*localhost:\d+"),
    ),
    Rule(
        "same-origin-only",
        "credentials is 'same-origin', which sends no cookies to another origin.",
        (r"credentials\s*:\s*['\"]same-origin['\"]",),
        (r"credentials\s*:\s*['\"]include",),
        {"fetch-credentials-omitted": STRONG + 1},
        (r"https?://",),
    ),
)  # fmt: skip


@check
def code_without_cookies(evidence: Evidence) -> Iterator[Finding]:
    """The rules of the table, each at most once."""
    for rule in _RULES:
        if all(evidence.search(pattern, re.I | re.M) for pattern in rule.around):
            text = next((t for t in evidence.texts if _applies(rule, t)), None)
            if text is not None:
                match = re.search(rule.has[0], text.content)
                line = text.line_at(match.start()) if match else None
                yield Finding(
                    rule.id,
                    rule.says,
                    rule.weights,
                    Where.of(text.source.at(line)),
                    rule.group or "client-code",
                )


_CALL = lazy(r"(?<![\w.])(?:fetch|axios(?:\.(?:get|post|put|patch|delete|request))?|\$http\.\w+)\s*\(")
_ASKS = lazy(r"credentials\s*:\s*['\"]include|withCredentials\s*:\s*true|\bxhrFields")
_FOR_ALL = lazy(
    r"axios\.defaults\.withCredentials|\.create\(|interceptors|defaults\.credentials|Authorization|Bearer"
)


@check
def some_calls_ask(evidence: Evidence) -> Iterator[Finding]:
    """In one file some calls ask for credentials and others do not."""
    for text in evidence.texts:
        content = text.content[:60_000]
        if text.kind not in _CODE_KINDS or not _ASKS.search(content) or _FOR_ALL.search(content):
            continue
        calls = [(match, _arguments(content, match.end())) for match in _CALL.finditer(content)]
        bare = next((match for match, arguments in calls if not _ASKS.search(arguments)), None)
        if bare is not None and any(_ASKS.search(arguments) for _, arguments in calls):
            says = "Some calls ask for credentials to be sent, this one does not."
            where = Where.of(text.source.at(text.line_at(bare.start())))
            yield Finding(
                "some-calls-ask",
                says,
                {"fetch-credentials-omitted": CLEAR + 2, "cookie-not-sent": 4.0},
                where,
                "client-code",
            )
            return


def _arguments(content: str, start: int) -> str:
    """What stands between a call's parentheses, as far as 800 characters."""
    depth = 1
    for offset, char in enumerate(content[start : start + 800]):
        depth += (char in "([{") - (char in ")]}")
        if depth == 0:
            return content[start : start + offset]
    return content[start : start + 800]


def _applies(rule: Rule, text: Text) -> bool:
    content = text.content[:60_000]
    return (
        text.kind in _CODE_KINDS
        and all(re.search(pattern, content, re.I if "curl" in rule.id else 0) for pattern in rule.has)
        and not any(re.search(pattern, content) for pattern in rule.lacks)
    )


_LOOPBACK = lazy(r"https?://(localhost|127\.0\.0\.1)(?::(\d+))?", re.I)
_CLIENT_SIDE = lazy(
    r"VITE_|REACT_APP_|NEXT_PUBLIC_|NUXT_|FRONTEND|CLIENT_URL|API_(BASE_)?URL|BASE_URL|baseURL|Origin:|origin:|fetch\(|axios"
    r"|CORS|cors|open(ed|ing)?\b|browser|address bar|Request URL|allowed_?origins?",
    re.I,
)


@check
def two_names_of_loopback(evidence: Evidence) -> Iterator[Finding]:
    """`localhost` and `127.0.0.1` are two hosts and two sites: a cookie of one is not sent to the other."""
    names: dict[str, Where] = {}
    for text in evidence.texts:
        for line, content in enumerate(text.content[:100_000].splitlines()):
            if "proxy_pass" in content or "upstream" in content or not _CLIENT_SIDE.search(content):
                continue
            for match in _LOOPBACK.finditer(content):
                names.setdefault(match[1].lower(), Where.of(text.source.at((text.source.line or 1) + line)))
    if len(names) == 2 and evidence.search(_COOKIE_LOGIN):
        says = "The browser's side speaks of localhost in one place and of 127.0.0.1 in another: two sites to cookies."
        weights = {"cookie-not-sent": CLEAR + 2, "cookie-not-stored": HINT}
        yield Finding("two-loopback-names", says, weights, names["127.0.0.1"], "cookie-verdict")
