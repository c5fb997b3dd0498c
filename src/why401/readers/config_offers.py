# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""Credentials that settings offer: registries, repositories, proxies, scrape targets, package managers.

Settings that belong together (user name and password of one server) stand under the same key; each such group
is one offer. Keys of products stand in a table: which name, in which place, with which scheme.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator

from why401.evidence import Offer, Place, Setting, Source
from why401.prefilter import lazy
from why401.secret import Secret

#: (key, place, name, scheme): a setting that alone is a credential.
_SINGLE: tuple[tuple[str, Place, str, str | None], ...] = (
    (r"(?://(?P<host>[^\s:]+?)/?)?:?_authtoken$|npm_?(?:auth_)?token$|npmAuthToken$", "field", "Authorization", "Bearer"),
    (r"(?://(?P<host>[^\s:]+?)/?)?:_auth$|^_auth$", "field", "Authorization", "Basic"),
    (r"auths\.(?P<host>.+)\.auth$", "field", "Authorization", "Basic"),
    (r"auths\.(?P<host>.+)\.(?:identitytoken|registrytoken)$", "field", "Authorization", "Bearer"),
    (r"bearer_?token(?:_file)?$|authorization\.credentials(?:_file)?$|(?:^|[._])access_?token$", "field", "Authorization", "Bearer"),
    (r"(?:^|[._])x-api-key$", "field", "X-API-Key", None),
    (r"headers?\.(?P<name>authorization|proxy-authorization)$|^(?:http\.)?extraheader$|http\..*extraheader$", "field", "Authorization", None),
    (r"(?:^|[._])(?:git(?:hub|lab|ea)|gh|glab|pypi|twine|cargo_registry|docker|hf|huggingface|vercel|netlify|sonar|nexus)_(?:api_)?(?:token|pat)$", "field", "Authorization", None),
    (r"(?:^|[._])(?:openai|anthropic|gemini|google|azure_openai|mistral|groq|cohere|deepseek|openrouter|together|perplexity|x?ai|stripe|sendgrid|datadog|dd|newrelic|tmdb|openweathermap|mailgun)_api_key$", "unknown", "api key", None),
)  # fmt: skip
_USER = lazy(r"(?i)(?:^|[._-])(?:user(?:_?name)?|login|account|client_?id|access_?key(?:_?id)?)$")
_PASS = lazy(
    r"(?i)(?:^|[._-])(?:pass(?:word|wd)?|pw|secret|client_?secret|api_?token|token|secret_?(?:access_?)?key|_password)$"
)
_PAIRED = lazy(
    r"(?i)(?:^|[._])(?:basic_?auth|auth|credentials?|servers?\.server|server|http-?basic|registry|pypi|testpypi|machine|proxy"
    r"|packageSourceCredentials|security\.user|repository|twine|nexus|artifactory|default|profile)\b|^[\w.-]+$"
)
_USERINFO = lazy(
    r"(?P<scheme>https?|ftp|socks5h?)://(?P<user>[^\s/:@]*):(?P<password>[^\s/]*)@(?P<host>[^\s/@]+)"
)
_PROXY = lazy(r"(?i)(?:^|[._])(?:https?_|all_)?proxy$")


def offers(settings: Iterable[Setting]) -> Iterator[Offer]:
    """Every offer that the settings make."""
    held = list(settings)
    for setting in held:
        yield from _single(setting)
        yield from _in_url(setting)
    yield from _pairs(held)


def _single(setting: Setting) -> Iterator[Offer]:
    for pattern, place, name, scheme in _COMPILED:
        match = pattern.search(setting.key)
        if not match:
            continue
        groups = match.groupdict()
        value = setting.text
        user = None
        if name == "Authorization" and groups.get("name"):
            name = groups["name"]
        if re.search(r"(?i)headers?\.|extraheader", setting.key):
            value = re.sub(r"(?i)^authorization:\s*", "", value)
            written = re.match(r"([A-Za-z][\w-]*)\s+\S", value)
            scheme, value = (written[1], value[len(written[1]) :].lstrip(" ")) if written else (None, value)
        elif scheme == "Basic":
            user = _basic_user(value)
        yield Offer(place, name, scheme, Secret(value), setting.source, provenance="settings", user=user)
        return


def _in_url(setting: Setting) -> Iterator[Offer]:
    match = _USERINFO.search(setting.text)
    if match:
        name = "Proxy-Authorization" if _PROXY.search(setting.key) else "Authorization"
        yield Offer(
            "userinfo",
            name,
            "Basic",
            Secret(match["password"]),
            setting.source,
            provenance="settings",
            user=match["user"],
        )


_COMPILED = tuple((lazy(rf"(?i){p}"), place, name, scheme) for p, place, name, scheme in _SINGLE)


def _pairs(settings: list[Setting]) -> Iterator[Offer]:
    """A user name and the password that follows it under the same key, within a few lines."""
    user: Setting | None = None
    for setting in settings:
        if _USER.search(setting.key):
            user = setting
        elif _PASS.search(setting.key) and user is not None:
            if _beside(user, setting) and _PAIRED.search(setting.key):
                yield Offer(
                    "unknown",
                    setting.key,
                    None,
                    Secret(setting.text),
                    setting.source,
                    provenance="settings",
                    user=user.text,
                )
            user = None


def _beside(one: Setting, two: Setting) -> bool:
    near = abs((one.source.line or 0) - (two.source.line or 0)) <= 4
    return near and (_stem(one.key) == _stem(two.key))


def _stem(key: str) -> str:
    return re.sub(
        r"(?i)[._-]?(?:user(?:_?name)?|login|account|client_?id|access_?key(?:_?id)?|pass(?:word|wd)?|pw|client_?secret|secret_?(?:access_?)?key|secret|api_?token|token)$",
        "",
        key,
    )


def _basic_user(value: str) -> str | None:
    """The user name in a base64 pair, or None."""
    try:
        user, colon, _ = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (ValueError, binascii.Error):
        return None
    return user if colon else None


def offer(
    user: str | None, password: str, source: Source, provenance: str, name: str = "Authorization"
) -> Offer:
    """A user name and password for Basic, from a client's file."""
    return Offer("field", name, "Basic", Secret(password), source, provenance=provenance, user=user)
