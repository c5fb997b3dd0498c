# ruff: noqa: E501  (tables of patterns: one a line, however long)
"""What server code and directives demand of a request, and what they change on its way: tables.

A row is (pattern, respect, value, hop): the value is a template of the pattern's groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from why401.evidence import Change, Demand, Source
from why401.prefilter import lazy

_Q = r"[\"'`]"
_LITERAL = rf"{_Q}(?P<v>[^\"'`\n]*){_Q}"

#: Settings of token libraries in code: only where the text speaks of tokens at all.
_TOKEN_WORDS = lazy(r"(?i)jwt|jsonwebtoken|jose|passport|bearer|oidc|oauth|token|authority|identity")
_OPTIONS: tuple[tuple[str, str], ...] = (
    (
        rf"\b(?:issuer|iss|ValidIssuer|Authority|authServerUrl|issuerBaseURL|withIssuer|requireIssuer|setExpectedIssuer|JwtIssuerValidator)\s*(?:[:=(]|=>)\s*\[?\s*{_LITERAL}",
        "issuer",
    ),
    (
        rf"\b(?:audience|aud|ValidAudience|Audience|apiName|ApiName|withAudience|requireAudience|setExpectedAudience|AudienceValidator)\s*(?:[:=(]|=>)\s*\[?\s*{_LITERAL}",
        "audience",
    ),
    (rf"\b(?:algorithms?|signingAlgorithm)\s*(?:[:=]|=>)\s*[\[(]?\s*{_LITERAL}", "algorithm"),
    (
        r"\b(?:SignatureAlgorithm|JWSAlgorithm|MacAlgorithm|Algorithm)\.(?P<v>(?:[HREP]S|EdDSA|HMAC|RSA)\w*)",
        "algorithm",
    ),
    (
        rf"\b(?:jwksUri|jwks_uri|jwkSetUri|withJwkSetUri|PyJWKClient|createRemoteJWKSet)\s*(?:[:=(]|=>)\s*(?:new URL\()?\s*{_LITERAL}",
        "keys",
    ),
)

#: Frameworks: (pattern, respect, value, hop).
_FRAMEWORKS: tuple[tuple[str, str, str, str], ...] = (
    (
        r"\bHTTPBearer\s*\(|\bOAuth2PasswordBearer\s*\(|\bOAuth2AuthorizationCodeBearer\s*\(",
        "scheme",
        "Bearer",
        "FastAPI",
    ),
    (r"\bHTTPBasic\s*\(", "scheme", "Basic", "FastAPI"),
    (rf"\bAPIKeyHeader\s*\(\s*name\s*=\s*{_LITERAL}", "field", "{v}", "FastAPI"),
    (rf"\bAPIKeyQuery\s*\(\s*name\s*=\s*{_LITERAL}", "query", "{v}", "FastAPI"),
    (rf"\bAPIKeyCookie\s*\(\s*name\s*=\s*{_LITERAL}", "cookie-name", "{v}", "FastAPI"),
    (r"\bauthentication_classes\s*=\s*[\[(](?P<v>[^\])]*)", "mechanism", "{v}", "Django REST framework"),
    (r"\bpermission_classes\s*=\s*[\[(](?P<v>[^\])]*)", "rule", "{v}", "Django REST framework"),
    (r"\bTokenAuthentication\b", "scheme", "Token", "Django REST framework"),
    (r"\bJWTAuthentication\b", "scheme", "Bearer", "Django REST framework"),
    (
        r"@(?:jwt_required|login_required|auth\.login_required|requires_auth)\b",
        "mechanism",
        "decorator",
        "Flask",
    ),
    (r"fromAuthHeaderAsBearerToken\s*\(", "scheme", "Bearer", "passport"),
    (rf"fromAuthHeaderWithScheme\s*\(\s*{_LITERAL}", "scheme", "{v}", "passport"),
    (rf"\bfromHeader\s*\(\s*{_LITERAL}", "field", "{v}", "passport"),
    (rf"fromUrlQueryParameter\s*\(\s*{_LITERAL}", "query", "{v}", "passport"),
    (rf"\bpassport\.authenticate\s*\(\s*\[?\s*{_LITERAL}", "mechanism", "{v}", "passport"),
    (rf"\b(?P<k>usernameField|passwordField)\s*:\s*{_LITERAL}", "body-field", "{v}", "passport"),
    (r"\.httpBasic\s*\(", "scheme", "Basic", "Spring"),
    (r"\.oauth2ResourceServer\s*\(", "scheme", "Bearer", "Spring"),
    (
        r"\.(?:antMatchers|requestMatchers|mvcMatchers|pathMatchers)\s*\(\s*(?P<v>[^)]*)\)\s*\.(?P<k>permitAll|authenticated|hasRole|hasAuthority|hasAnyRole|denyAll)",
        "rule",
        "{k} {v}",
        "Spring",
    ),
    (r"\.anyRequest\(\)\s*\.(?P<v>\w+)\(", "rule", "any request {v}", "Spring"),
    (r"\.(?:anyExchange)\(\)\s*\.(?P<v>\w+)\(", "rule", "any request {v}", "Spring"),
    (r"\bAddJwtBearer\b", "scheme", "Bearer", "ASP.NET"),
    (r"\bRequireHttpsMetadata\s*=\s*(?P<v>\w+)", "https", "{v}", "ASP.NET"),
    (r"\[Authorize(?:\((?P<v>[^)]*)\))?\]", "rule", "authorize {v}", "ASP.NET"),
    (r"\bacts_as_token_authentication_handler_for\b", "field", "X-User-Token", "Rails"),
    (r"\bDeviseTokenAuth::Concerns::SetUserByToken\b", "field", "access-token", "Rails"),
    (r"\bauthenticate_(?:or_request_)?with_http_token\b", "scheme", "Token", "Rails"),
    (
        r"\bhttp_basic_authenticate_with\b|\bauthenticate_or_request_with_http_basic\b",
        "scheme",
        "Basic",
        "Rails",
    ),
    (r"\bbefore_action\s+:(?P<v>authenticate_\w+!?)", "mechanism", "{v}", "Rails"),
    (r"\bprotect_from_forgery\b(?:\s+with:\s*:(?P<v>\w+))?", "csrf", "{v}", "Rails"),
    (rf"->middleware\s*\(\s*\[?\s*{_Q}(?P<v>auth(?::\w+)?[^\"'`]*){_Q}", "mechanism", "{v}", "Laravel"),
    (r"PHP_AUTH_USER", "scheme", "Basic", "PHP"),
    (r"@(?:RolesAllowed|PreAuthorize|Secured)\s*\(\s*(?P<v>[^)]*)\)", "rule", "{v}", "Java"),
    # what a server reads by hand
    (
        rf"""\b(?:req|request|ctx|r|c|\$request)(?:\.headers?|\.Header|\.Request\.Headers|->header|\.META)?(?:\.get|\.Get|\.GetHeader|\.getHeader)?\s*[\[(]\s*{_Q}(?P<v>[Xx]-[\w-]*(?:key|token|auth|user|secret)[\w-]*|authorization|HTTP_AUTHORIZATION|HTTP_X_\w+){_Q}""",
        "field",
        "{v}",
        "",
    ),
    (
        r"(?:startsWith|startswith|HasPrefix|starts_with|StartsWith|hasPrefix|TrimPrefix|removeprefix|replace)\s*\((?:[^\"'`\n]{0,40},\s*)?[\"'`](?P<v>Bearer|Basic|Token|JWT|ApiKey):?\s?[\"'`]",
        "scheme",
        "{v}",
        "",
    ),
    # cookies, CORS and proxies of JavaScript servers
    (r"\bcookie\s*:\s*\{[^}]{0,200}?\bsecure\s*:\s*(?P<v>\w+)", "cookie-secure", "{v}", "session"),
    (
        rf"\bcookie\s*:\s*\{{[^}}]{{0,200}}?\bsameSite\s*:\s*{_Q}?(?P<v>\w+)",
        "cookie-samesite",
        "{v}",
        "session",
    ),
    (rf"\bcookie\s*:\s*\{{[^}}]{{0,200}}?\bdomain\s*:\s*{_LITERAL}", "cookie-domain", "{v}", "session"),
    (rf"\bapp\.set\s*\(\s*{_Q}trust proxy{_Q}\s*,\s*(?P<v>[^)\n]+)\)", "trusted-proxy", "{v}", "express"),
    (r"\bcors\s*\(\s*\{[^}]{0,200}?\bcredentials\s*:\s*(?P<v>\w+)", "cors-credentials", "{v}", "express"),
    (
        rf"\bcors\s*\(\s*\{{[^}}]{{0,200}}?\borigin\s*:\s*{_Q}?(?P<v>[^\"'`,}}\n]+)",
        "cors-origin",
        "{v}",
        "express",
    ),
)

#: Directives of web servers and proxies.
_DIRECTIVES: tuple[tuple[str, str, str, str], ...] = (
    (r"(?m)^\s*auth_basic\s+\"?(?!off\b)(?P<v>[^\";\n]+)\"?\s*;", "realm", "{v}", "nginx"),
    (r"(?m)^\s*auth_basic\s+\"?(?!off\b)[^\";\n]+\"?\s*;", "scheme", "Basic", "nginx"),
    (r"(?m)^\s*auth_basic_user_file\s+(?P<v>[^;\n]+);", "password-file", "{v}", "nginx"),
    (r"(?m)^\s*auth_request\s+(?!off\b)(?P<v>\S+?)\s*;", "auth-request", "{v}", "nginx"),
    (r"(?m)^\s*ssl_verify_client\s+(?P<v>\w+)\s*;", "certificate", "{v}", "nginx"),
    (r"(?mi)^\s*AuthType\s+\"?(?P<v>(?!none\b)[\w-]+)", "scheme", "{v}", "Apache httpd"),
    (r"(?mi)^\s*AuthName\s+\"?(?P<v>[^\"\n]+)", "realm", "{v}", "Apache httpd"),
    (r"(?mi)^\s*AuthUserFile\s+\"?(?P<v>[^\"\n]+)", "password-file", "{v}", "Apache httpd"),
    (r"(?mi)^\s*AuthBasicProvider\s+(?P<v>[^\n]+)", "mechanism", "{v}", "Apache httpd"),
    (r"(?mi)^\s*Require\s+(?P<v>(?!all\s+granted)[^\n;]+)$", "rule", "{v}", "Apache httpd"),
    (r"(?mi)^\s*SSLVerifyClient\s+(?P<v>\w+)", "certificate", "{v}", "Apache httpd"),
    (r"(?m)^\s*basic_?auth\b[^\n]*\{?", "scheme", "Basic", "Caddy"),
    (r"(?m)^\s*forward_auth\s+(?P<v>\S+)", "auth-request", "{v}", "Caddy"),
    (r"(?m)^\s*http-request\s+auth\b(?:\s+realm\s+(?P<v>\S+))?", "scheme", "Basic", "HAProxy"),
)

_What = Literal["drops", "renames", "overwrites", "adds", "redirects", "caches"]
#: (pattern, what, field, hop)
_CHANGES: tuple[tuple[str, _What, str, str], ...] = (
    (r"(?mi)^\s*proxy_set_header\s+(?P<n>Authorization|Cookie)\s+(?:\"\"|'')\s*;", "drops", "{n}", "nginx"),
    (
        r"(?mi)^\s*proxy_set_header\s+(?P<n>Authorization|Cookie)\s+(?!\"\"|''|\$http_(?:authorization|cookie)\b)[^;]+;",
        "overwrites",
        "{n}",
        "nginx",
    ),
    (r"(?mi)^\s*proxy_pass_request_headers\s+off\s*;", "drops", "Authorization", "nginx"),
    (r"(?mi)^\s*proxy_hide_header\s+(?P<n>WWW-Authenticate|Set-Cookie)\s*;", "drops", "{n}", "nginx"),
    (r"(?mi)^\s*(?:fastcgi|uwsgi)_param\s+HTTP_AUTHORIZATION\s+\S+", "adds", "Authorization", "nginx"),
    (r"(?mi)^\s*(?:proxy|fastcgi)_cache\s+(?!off)\w+\s*;", "caches", "", "nginx"),
    (r"(?mi)^\s*CGIPassAuth\s+On\b", "adds", "Authorization", "Apache httpd"),
    (r"(?mi)^\s*WSGIPassAuthorization\s+On\b", "adds", "Authorization", "mod_wsgi"),
    (r"(?mi)^\s*WSGIPassAuthorization\s+Off\b", "drops", "Authorization", "mod_wsgi"),
    (
        r"(?mi)^\s*RewriteRule\s[^\n]*E=(?:REMOTE_USER|HTTP_AUTHORIZATION)",
        "adds",
        "Authorization",
        "Apache httpd",
    ),
    (r"(?mi)^\s*SetEnvIf(?:NoCase)?\s+\^?\"?Authorization\b", "adds", "Authorization", "Apache httpd"),
    (r"(?mi)^\s*RequestHeader\s+unset\s+\"?(?P<n>Authorization|Cookie)", "drops", "{n}", "Apache httpd"),
    (r"(?mi)^\s*RequestHeader\s+set\s+\"?(?P<n>Authorization|Cookie)", "overwrites", "{n}", "Apache httpd"),
    (r"(?mi)^\s*header_up\s+-(?P<n>Authorization|Cookie)", "drops", "{n}", "Caddy"),
    (r"(?mi)^\s*http-request\s+del-header\s+(?P<n>Authorization|Cookie)", "drops", "{n}", "HAProxy"),
    (
        r"(?mi)\bremoveAuthorizationHeader\b|\bRemoveRequestHeader=(?P<n>Authorization|Cookie)",
        "drops",
        "Authorization",
        "gateway",
    ),
    (r"(?mi)\bsensitive-?headers\s*[:=]\s*[^\n]*Authorization", "drops", "Authorization", "Zuul"),
)


def demands(text: str, source: Source, *, servers: bool) -> Iterator[Demand]:
    """What the code demands; `servers` also reads directives of web servers."""
    if _TOKEN_WORDS.search(text):
        for pattern, respect in _OPTIONS:
            yield from _found(pattern, respect, "{v}", "", text, source)
    for pattern, respect, value, hop in _FRAMEWORKS + (_DIRECTIVES if servers else ()):
        yield from _found(pattern, respect, value, hop, text, source)


def _found(pattern: str, respect: str, value: str, hop: str, text: str, source: Source) -> Iterator[Demand]:
    for match in re.finditer(pattern, text):
        yield Demand(respect, _filled(value, match), _at(match, text, source), hop=hop or None)


def changes(text: str, source: Source) -> Iterator[Change]:
    """What directives do to a credential on its way."""
    for pattern, what, name, hop in _CHANGES:
        for match in re.finditer(pattern, text):
            yield Change(what, _filled(name, match), _at(match, text, source), hop=hop)


def _filled(template: str, match: re.Match[str]) -> str:
    groups = {key: " ".join((value or "").split()) for key, value in match.groupdict().items()}
    filled = re.sub(r"\{(\w)\}", lambda hole: groups.get(hole[1], ""), template)
    return filled.strip()[:200] or ("Authorization" if template == "{n}" else filled.strip())


def _at(match: re.Match[str], text: str, source: Source) -> Source:
    start = match.start() + len(match.group()) - len(match.group().lstrip())
    return source.at((source.line or 1) + text.count("\n", 0, start))
