"""Evidence in, findings out: one module a family of causes.

A check is a function of one `Evidence` that yields findings, marked with `@check`. It does not know products
where it can compare what was offered with what was demanded; what products print is data in `signatures/`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module

from why401.evidence import Evidence
from why401.findings import Finding

Check = Callable[[Evidence], Iterable[Finding]]

MODULES = (
    "credentials",
    "credentials_values",
    "credentials_keys",
    "credentials_places",
    "credentials_schemes",
    "credentials_compare",
    "credentials_settings",
    "clients",
    "clients_challenge",
    "clients_makers",
    "clients_encoders",
    "clients_config",
    "clients_kept_away",
    "clients_shell",
    "clients_login",
    "clients_needless",
    "clients_users",
    "rejected",
    "permission",
    "token",
    "token_time",
    "token_keys",
    "token_kinds",
    "token_grants",
    "token_signing",
    "token_code",
    "token_words",
    "session",
    "url",
    "intermediary",
    "ban",
    "protocol",
    "server_config",
    "platform",
    "healthy",
    "contrasts",
)

#: Loaded only where there are layers: what one reads in an owner's files, or compares with them.
LAYERED = (
    "layers_demands",
    "layers_changes",
    "layers_answered",
    "layers_pairs",
    "layers_passwords",
    "layers_access",
    "nginx_rules",
    "apache_logins",
    "apache_rules",
    "apache_requests",
    "apache_sections",
    "apache_gateway",
    "accounts",
    "haproxy_rules",
    "caddy_rules",
    "lighttpd_rules",
    "squid_rules",
    "tomcat_rules",
    "layers_tokens",
    "express_rules",
    "aspnet_rules",
    "node_token_rules",
    "node_session_rules",
    "spring_rules",
    "spring_users_rules",
    "traefik_rules",
    "python_rules",
    "python_token_rules",
    "django_rules",
    "flask_rules",
    "fastapi_rules",
    "kubernetes_rules",
    "login_service_rules",
    "envoy_rules",
    "oauth2_proxy_rules",
    "kong_rules",
    "iis_rules",
    "laravel_rules",
    "laravel_requests",
    "symfony_rules",
    "symfony_requests",
    "rails_rules",
)

_CHECKS: list[Check] = []
_RULES: list[Check] = []


def check(function: Check) -> Check:
    """Register a check; used as a decorator."""
    _CHECKS.append(function)
    return function


def rule(function: Check) -> Check:
    """Register a check that needs no request: what it finds is a fault of the configuration in any case, so
    `why401 lint` reports it too. It must be silent on every sound configuration; used as a decorator."""
    _RULES.append(function)
    return check(function)


def lint(evidence: Evidence) -> Iterator[Finding]:
    """What the rules find in the owner's configurations and code, without any request."""
    _load(LAYERED)
    for function in _RULES:
        yield from function(evidence)


def _load(modules: Iterable[str]) -> None:
    for name in modules:
        import_module(f"why401.checks.{name}")


def run(evidence: Evidence) -> Iterator[Finding]:
    """Every finding of every check, then those of the signatures, then what the words resemble."""
    _load(MODULES)
    if evidence.layers:
        _load(LAYERED)
    from why401 import signatures, words

    for function in _CHECKS:
        yield from function(evidence)
    yield from signatures.match(evidence)
    yield from words.resemblance(evidence)
