# ruff: noqa: E501  (a table: one rule a row)
"""What a contrast speaks for: by axis, by the words of its two sides.

A contrast narrows down *where* the cause is; the specific checks say what it is. So the weights are modest, and what a
contrast rules out (a password that works from another client is no wrong password) counts as much.
"""

from __future__ import annotations

from dataclasses import dataclass

from why401.evidence import Axis
from why401.findings import AGAINST, CLEAR, FAINT, HINT


@dataclass(frozen=True, slots=True)
class Rule:
    """Weights for a contrast on `axis` whose sides match; the first rule that fits a contrast is taken."""

    id: str
    axis: Axis
    works: str  # regular expression, without regard to case; "" fits all, "^$" only the unsaid
    fails: str
    says: str
    weights: dict[str, float]
    group: str = ""


_TOOL = r"curl|postman|insomnia|httpie|wget|bruno|swagger|soapui|hoppscotch|thunder|invoke-|rest\s+client|command|terminal|cli\b"
_BROWSER = r"browser|chrom|firefox|safari|edge|brave|opera|explorer|web\b|\burl\b|\blink\b"
_CODE = r"code|app|script|program|sdk|library|axios|fetch|requests|httpx|aiohttp|urllib|httpclient|okhttp|guzzle|python|node|java|powershell|golang|php|front"
_LOCAL = r"local|127\.|my\s+(?:machine|laptop|pc|computer|mac)|dev"
_REMOTE = r"prod|live|staging|server|vps|heroku|vercel|netlify|aws|azure|cloud|kubernetes|k8s|cluster|docker|container|pod|deployed|hosted"
_CI = r"\bci\b|pipeline|jenkins|actions|runner|agent"

#: The credential is good: another way with the same one gets in.
GOOD = dict.fromkeys(
    ("wrong-password", "unknown-user", "credential-revoked", "account-disabled", "token-expired"), AGAINST
)
#: The server's side is sound: it lets others, or other requests, in.
SOUND = dict.fromkeys(
    (
        "auth-not-wired", "password-file-problem", "auth-backend-unreachable", "keys-unreachable", "feature-disabled",
        "gateway-stripped-credentials",
    ),
    AGAINST,
)  # fmt: skip
#: Fixed faults of a request or a setting: they fail always or never.
FIXED = dict.fromkeys(
    (
        "wrong-password", "unknown-user", "auth-not-wired", "wrong-audience", "wrong-issuer", "wrong-algorithm",
        "insufficient-scope", "feature-disabled", "wrong-header", "wrong-scheme", "malformed-authorization", "bad-base64",
        "gateway-stripped-credentials", "password-file-problem", "placeholder-credential", "wrong-environment",
        "password-login-disabled", "stray-whitespace", "wrong-url", "proxy-stripped-credentials",
    ),
    AGAINST,
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    # one client works, another fails
    Rule("tool-works-browser-fails", "client", _TOOL, r"browser|chrom|firefox|safari|front|web\s?app|fetch|axios", "A command-line tool gets in, browser code does not: what differs is what the browser sends.",
         {"cors-preflight-rejected": HINT, "fetch-credentials-omitted": HINT, "cookie-not-sent": HINT, "cookie-not-stored": FAINT, "csrf-rejected": HINT, "credentials-overridden": FAINT, "stored-credential-stale": FAINT, "cached-response": FAINT, **GOOD, **SOUND}),
    Rule("browser-against-browser", "client", _BROWSER.replace(r"|web\b|\burl\b|\blink\b", ""), r"chrom|firefox|safari|edge|brave|opera|explorer", "One browser gets in, another does not: what they keep or send differs.",
         {"cookie-not-stored": HINT, "stored-credential-stale": HINT, "cookie-corrupted": HINT, "negotiate-failed": FAINT, "cached-response": FAINT, **GOOD, **SOUND}),
    Rule("only-one-browser-fails", "client", r"^$", r"chrom|firefox|safari|edge|brave|opera|explorer", "It fails in one browser only: what that browser keeps or sends differs.",
         {"cookie-not-stored": HINT, "stored-credential-stale": FAINT, "cookie-corrupted": FAINT, "negotiate-failed": FAINT, **GOOD}),
    Rule("browser-works-tool-fails", "client", _BROWSER + r"|portal|interface|console|ui\b", "", "The web page accepts the login and this client does not get in.",
         {"password-login-disabled": HINT, "challenge-not-answered": HINT, "wrong-user-name-for-token": FAINT, "edge-protection": HINT, "no-credentials": FAINT, "client-config-not-loaded": FAINT, "external-url-wrong": FAINT, "wrong-password": -4.0, "unknown-user": -4.0, "account-disabled": -4.0, "auth-backend-unreachable": -4.0}),
    Rule("tool-works-code-fails", "client", _TOOL, _CODE, "A hand-made request gets in, the program's does not: the program sends something else.",
         {"wrong-header": HINT, "malformed-authorization": HINT, "placeholder-credential": HINT, "wrong-scheme": FAINT, "stray-whitespace": FAINT, "client-config-not-loaded": HINT, "challenge-not-answered": HINT, "redirect-dropped-credentials": HINT, "credentials-overridden": FAINT, "software-bug": FAINT, "request-signature-mismatch": FAINT, **GOOD, **SOUND}),
    Rule("tool-works", "client", _TOOL, "", "With a command-line tool the same works: the credential and the server are good.",
         {"wrong-header": FAINT, "malformed-authorization": FAINT, "placeholder-credential": FAINT, "challenge-not-answered": FAINT, "redirect-dropped-credentials": FAINT, "credentials-overridden": FAINT, "client-config-not-loaded": FAINT, "malformed-token": FAINT, "software-bug": FAINT, **GOOD, **SOUND}),
    Rule("other-client-works", "client", r"other|another|different|official|desktop|mobile|kubernetes|install|pull|clone", "", "Another client gets in with the same: the fault is this client's.",
         {"software-bug": HINT, "challenge-not-answered": HINT, "client-config-not-loaded": HINT, "wrong-header": FAINT, "credentials-overridden": FAINT, "redirect-dropped-credentials": FAINT, "oauth-client-rejected": FAINT, **GOOD, **SOUND}),
    Rule("clients-differ", "client", "", "", "One client gets in and another does not.",
         {"challenge-not-answered": FAINT, "wrong-header": FAINT, "credentials-overridden": FAINT, "client-config-not-loaded": FAINT, "software-bug": FAINT, **GOOD, **SOUND}),
    # one machine or environment
    Rule("fails-in-pipeline", "host", "", _CI, "It fails on one build machine only: what that machine holds differs.",
         {"client-config-not-loaded": HINT, "placeholder-credential": HINT, "stored-credential-stale": HINT, "clock-skew": HINT, "client-banned": FAINT, **GOOD, **SOUND}),
    Rule("local-works-remote-fails", "host", _LOCAL, "", "It works locally and fails where it is deployed: what stands in front, or what is configured there, differs.",
         {"proxy-stripped-credentials": HINT, "gateway-stripped-credentials": HINT, "redirect-dropped-credentials": HINT, "cookie-not-issued": HINT, "cookie-not-stored": HINT, "secret-rotated": HINT, "session-unknown": FAINT, "wrong-environment": FAINT, "placeholder-credential": FAINT, "cached-response": FAINT, "edge-protection": FAINT, "external-url-wrong": FAINT, "wrong-password": -4.0, "software-bug": -3.0}),
    Rule("remote-works-local-fails", "host", _REMOTE, _LOCAL, "It works where it is deployed and fails locally.",
         {"cookie-not-sent": HINT, "cookie-not-stored": HINT, "https-required": FAINT, "wrong-environment": HINT, "no-credentials": FAINT, "redirect-dropped-credentials": FAINT, "wrong-password": -4.0}),
    Rule("works-elsewhere", "host", r"elsewhere", "", "The same credential is accepted elsewhere.",
         {"wrong-environment": FAINT, "credentials-overridden": FAINT, "wrong-scheme": FAINT, "wrong-header": FAINT, "wrong-password": AGAINST, "credential-revoked": AGAINST, "token-expired": AGAINST}),
    Rule("machines-differ", "host", "", "", "It works on one machine or environment and fails on another.",
         {"clock-skew": FAINT, "wrong-environment": FAINT, "secret-rotated": FAINT, "stored-credential-stale": FAINT, "client-banned": FAINT, "wrong-server-answered": FAINT, "wrong-password": -4.0}),
    # http and https
    Rule("https-works-http-fails", "scheme", r"https", r"\bhttp\b(?!s)", "Over https it works, over http it is refused.",
         {"https-required": CLEAR, "redirect-dropped-credentials": HINT, "cookie-not-stored": HINT, "wrong-password": AGAINST}),
    Rule("http-works-https-fails", "scheme", r"\bhttp\b(?!s)", r"https", "Over http it works, over https it is refused: what ends TLS, or another site, answers.",
         {"proxy-stripped-credentials": HINT, "cookie-not-issued": HINT, "wrong-server-answered": HINT, "external-url-wrong": FAINT, "client-certificate-missing": FAINT, "auth-layers-collide": FAINT, "wrong-password": AGAINST}),
    # paths and methods
    Rule("login-works-rest-fails", "path", r"log-?in|sign-?in|authentication|handshake", "", "The login itself succeeds and what follows is refused: the proof of it does not arrive.",
         {"cookie-not-stored": FAINT, "cookie-not-sent": FAINT, "fetch-credentials-omitted": FAINT, "session-unknown": FAINT, "insufficient-scope": FAINT, "resource-hidden": FAINT, "not-permitted": FAINT, "secret-rotated": FAINT, "wrong-password": AGAINST, "unknown-user": AGAINST, "login-body-not-read": AGAINST, "password-login-disabled": AGAINST, "account-disabled": AGAINST}),
    Rule("one-path-fails", "path", "", "", "Other paths work and this one is refused: a rule or a right for this path decides.",
         {"auth-rule-unintended": HINT, "insufficient-scope": HINT, "not-permitted": HINT, "resource-hidden": HINT, "wrong-url": HINT, "edge-protection": FAINT, "cached-response": FAINT, "redirect-dropped-credentials": FAINT, **GOOD}),
    Rule("one-method-fails", "method", "", "", "One method works on the path and another is refused.",
         {"csrf-rejected": HINT, "insufficient-scope": HINT, "not-permitted": HINT, "redirect-dropped-credentials": HINT, "cors-preflight-rejected": FAINT, "edge-protection": FAINT, "request-signature-mismatch": FAINT, **GOOD, **SOUND}),
    # users and credentials
    Rule("one-user-fails", "user", "", "", "Other users get in: the fault lies with this account or what belongs to it.",
         {"account-disabled": HINT, "not-permitted": HINT, "insufficient-scope": FAINT, "wrong-password": FAINT, "cookie-corrupted": FAINT, "stored-credential-stale": FAINT, "database-changed": FAINT, "charset-mismatch": FAINT, "proxy-stripped-credentials": AGAINST, "cached-response": -4.0, **SOUND}),
    Rule("works-without-credential", "credential", r"without|anonymous|logged\s+out|signed\s+out|unauthenticated|leav|remov|omit|drop|strip|^no ", "", "Without the credential the same request succeeds.",
         {"needless-credential-rejected": CLEAR, "redirect-dropped-credentials": HINT, "stored-credential-stale": FAINT, "credentials-overridden": FAINT, "no-credentials": -20.0, "missing-challenge": AGAINST, "client-config-not-loaded": AGAINST}, "works-without"),
    Rule("plain-password-works", "credential", r"special|simple|short|plain|ascii|alphanumeric|umlaut|symbol", "", "A password of plain characters works: others are altered on the way.",
         {"unescaped-userinfo": CLEAR, "charset-mismatch": HINT, "mangled-in-config": HINT, "bad-base64": FAINT, **SOUND}),
    Rule("other-credential-works", "credential", "", "", "Another credential works at the same place: the fault lies with this one.",
         {"credential-revoked": HINT, "token-expired": HINT, "insufficient-scope": HINT, "wrong-token-type": HINT, "wrong-environment": FAINT, "stored-credential-stale": FAINT, "malformed-token": FAINT, "wrong-header": AGAINST, "wrong-scheme": -4.0, "proxy-stripped-credentials": AGAINST, "missing-challenge": AGAINST, "no-credentials": AGAINST, **SOUND}),
    Rule("contrast-other-network", "network", "", "", "From another address or network it works: this one is refused, or another server answers here.",
         {"client-banned": CLEAR, "too-many-attempts": HINT, "edge-protection": HINT, "proxy-authentication-required": FAINT, "wrong-server-answered": FAINT, **GOOD, **SOUND}, "other-network"),
    # time
    Rule("now-and-then", "frequency", "", "", "The same request now works and now fails: something changes between two equal requests.",
         {"secret-rotated": HINT, "session-unknown": HINT, "clock-skew": HINT, "refresh-failed": HINT, "too-many-attempts": HINT, "connection-limit": HINT, "auth-backend-unreachable": HINT, "wrong-server-answered": FAINT, "unknown-signing-key": FAINT, "keys-unreachable": FAINT, "cached-response": FAINT, "digest-mismatch": FAINT, "token-expired": FAINT, "software-bug": FAINT, **FIXED}),
    Rule("works-for-an-hour", "age", r"\b(?:an|one|1|24|12|8|two|2)\s*(?:-|\s)?(?:hours?|h\b|days?)|(?:5|10|15|20|30|60|ten|fifteen|thirty)\s*min|expire", "", "It works for a round time, then it is refused: a lifetime is over.",
         {"token-expired": 10.0, "session-expired": HINT, "refresh-failed": HINT, "clock-skew": FAINT, **FIXED}),
    Rule("works-for-a-while", "age", "", "", "It works for a while, then it is refused: something ran out or was lost.",
         {"token-expired": HINT, "session-expired": HINT, "refresh-failed": HINT, "too-many-attempts": HINT, "session-unknown": FAINT, "connection-limit": FAINT, "auth-backend-unreachable": FAINT, "unknown-signing-key": FAINT, "secret-rotated": FAINT, "clock-skew": FAINT, **FIXED}),
    Rule("restart-mends", "restart", r"\S", "", "A restart mends it for a while: the process holds something that has gone stale.",
         {"auth-backend-unreachable": HINT, "keys-unreachable": HINT, "unknown-signing-key": HINT, "connection-limit": HINT, "token-expired": HINT, "refresh-failed": FAINT, "too-many-attempts": FAINT, "clock-skew": FAINT, **FIXED}),
    Rule("restart-breaks", "restart", "", "", "It begins with a restart: what was kept in memory, or made anew at the start, is lost.",
         {"secret-rotated": 10.0, "session-unknown": HINT, "unknown-signing-key": HINT, "initial-password-ignored": FAINT, "digest-mismatch": FAINT, "cookie-corrupted": FAINT, "wrong-password": AGAINST, "wrong-header": AGAINST, "wrong-scheme": AGAINST}),
    Rule("since-upgrade", "version", "", "", "One version works and another does not.",
         {"upgrade-regression": CLEAR, "software-bug": HINT, "wrong-password": AGAINST, "unknown-user": AGAINST, "credential-revoked": -4.0}, "up"),
    Rule("since-password-change", "change", "", r"password|credential", "It began when the password was changed: an old one is still in use somewhere.",
         {"stored-credential-stale": HINT, "too-many-attempts": FAINT, "client-banned": FAINT, "account-disabled": FAINT}),
    Rule("since-move", "change", "", r"\b(?:mov|migrat|restor|import|clon|transfer|renam)", "It began with a move: what did not move along, or what differs there, decides.",
         {"database-changed": FAINT, "stored-credential-stale": FAINT, "wrong-url": FAINT, "secret-rotated": FAINT, "gateway-stripped-credentials": FAINT, "client-banned": FAINT}),
    Rule("worked-once", "change", r"used\s+to|work|ran|nothing|everything", "", "It worked before with the same settings: something ended or was changed elsewhere.",
         {"credential-revoked": FAINT, "token-expired": FAINT, "upgrade-regression": HINT, "password-login-disabled": FAINT, "account-disabled": FAINT, "client-certificate-expired": FAINT, "extension-conflict": FAINT, "auth-not-wired": AGAINST, "wrong-header": AGAINST, "wrong-scheme": -4.0, "login-body-not-read": AGAINST}),
    Rule("suddenly", "change", r"before", "", "It began at a moment, without a change of the request.",
         {"credential-revoked": FAINT, "token-expired": FAINT, "upgrade-regression": FAINT, "account-disabled": FAINT, "auth-not-wired": AGAINST, "wrong-header": -4.0, "login-body-not-read": AGAINST}),
    Rule("switched-off-works", "change", r"without|disabl|deactivat|unlock|off\b|comment|uninstall|remov|delet", "", "With one setting or part switched off it works: that part refuses.",
         {"auth-layers-collide": FAINT, "extension-conflict": FAINT, "edge-protection": FAINT, "auth-setting-wrong": FAINT, "not-permitted": FAINT, **GOOD}),
    # surroundings
    Rule("replicas", "parallel", r"one|single", r"", "With one worker or replica it works: several do not share what proves the login.",
         {"secret-rotated": CLEAR, "session-unknown": CLEAR, "refresh-failed": HINT, "connection-limit": FAINT, **FIXED}),
    Rule("in-parallel", "parallel", "", "", "Alone it works, beside another of its kind it fails.",
         {"refresh-failed": HINT, "session-unknown": HINT, "secret-rotated": HINT, "connection-limit": HINT, "digest-mismatch": FAINT, "cookie-corrupted": FAINT, **FIXED}),
    Rule("direct-works", "layer", r"direct|bypass|by-pass|without|port|pod|container|inside|within|past|around|no\s", "", "Without what stands between it works: that changes or answers the request.",
         {"proxy-stripped-credentials": CLEAR, "auth-layers-collide": HINT, "auth-subrequest-rejected": HINT, "external-url-wrong": HINT, "cookie-not-issued": HINT, "edge-protection": HINT, "cached-response": HINT, "wrong-server-answered": FAINT, "client-banned": FAINT, **GOOD}),
    Rule("only-behind", "layer", r"^$", "", "It fails only behind what stands between.",
         {"proxy-stripped-credentials": HINT, "external-url-wrong": HINT, "cookie-not-issued": HINT, "auth-subrequest-rejected": FAINT, "edge-protection": FAINT, "cached-response": FAINT, **GOOD}),
    Rule("private-window-works", "session", "", "", "With a clean browser state it works: what the browser keeps is refused.",
         {"cookie-corrupted": HINT, "stored-credential-stale": HINT, "session-expired": HINT, "needless-credential-rejected": HINT, "cached-response": HINT, "credentials-overridden": FAINT, "csrf-rejected": FAINT, **GOOD, **SOUND}),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Same:
    """A change that people say made no difference, and what it speaks against."""

    id: str
    what: str  # the words of what was changed
    says: str
    weights: dict[str, float]


_NEW = r"(?:brand-?new|new|fresh|another|other|different|regenerat\w+|re-?creat\w+|second|several|multiple)"
NO_DIFFERENCE: tuple[Same, ...] = (
    Same("new-credential-same", rf"{_NEW}\s+(?:[\w-]+\s+){{0,2}}?(?:tokens?|keys?|key\s+pairs?|credentials?|secrets?|pat)\b|(?:tokens?|keys?)\s+(?:were|was|have\s+been)\s+(?:re-?generated|re-?created|renewed)", "A new credential gives the same answer.",
         {"credential-revoked": AGAINST, "token-expired": AGAINST, "stray-whitespace": -3.0, "malformed-token": -4.0}),
    Same("login-again-same", r"(?:logg?ing|log|signing|sign)\s+(?:out\s+and\s+)?(?:back\s+)?in\s+again|re-?log(?:in|ging)|re-?authenticat\w+", "Logging in again does not help.",
         {"session-expired": AGAINST, "token-expired": AGAINST, "refresh-failed": -4.0}),
    Same("clean-browser-same", r"incognito|private\s+(?:window|mode|tab)|clear\w*\s+(?:\w+\s+){0,3}?(?:cookies?|cache)|(?:another|other|different|all)\s+browsers?", "A clean browser state gives the same answer.",
         {"cookie-corrupted": AGAINST, "stored-credential-stale": AGAINST, "cached-response": -4.0, "session-expired": -4.0}),
    Same("tool-same", r"\b(?:with\s+)?(?:curl|postman)\b", "A command-line tool gives the same answer.",
         {"cors-preflight-rejected": AGAINST, "fetch-credentials-omitted": AGAINST, "cookie-not-stored": -4.0, "client-config-not-loaded": -4.0}),
    Same("plugins-off-same", r"(?:disabl|deactivat)\w*\s+(?:all\s+)?(?:the\s+|other\s+|my\s+)*plug-?ins?|all\s+plug-?ins?\s+(?:are\s+|were\s+)?(?:disabled|deactivated|off)|default\s+theme", "Without the extensions the answer is the same.",
         {"extension-conflict": AGAINST}),
)  # fmt: skip
