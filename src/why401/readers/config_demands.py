# ruff: noqa: E501  (a table of patterns: one a line, however long)
"""What well-known settings demand: a table of key → respect, and what they change on the way.

The keys are those of the products' own documentation; a key that several products share stands once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from why401.evidence import Change, Demand, Setting
from why401.prefilter import lazy

#: (key, respect): the first that is found in the dotted key, in lower case with `-` as `_`, is taken.
_KEYS: tuple[tuple[str, str], ...] = (
    # tokens: Spring, Quarkus, Micronaut, ASP.NET, SimpleJWT, Flask-JWT, Laravel, Kong, Istio, Traefik, Strapi, Grafana
    (r"issuer_uri$|(?:^|[._])(?:valid_?)?issuers?(?:\.\d+)?$|(?:^|[._])iss(?:uer)?(?:_url|_uri)?$|oidc_issuer(?:_url)?$|quarkus\.oidc\.(?:token\.issuer|auth_server_url)$|(?:^|[._])authority$|\.instance$|jwt_(?:decode_)?issuer$|oidc_op_issuer|mp\.jwt\.verify\.issuer", "issuer"),
    (r"(?:^|[._])(?:valid_?|expected_|token\.|jwt_|decode_|api_|accepted_)*audiences?(?:\.\d+)?$|(?:^|[._])aud$|quarkus\.oidc\.token\.audience|app_id_uri$|resource_?id$|mp\.jwt\.verify\.audiences", "audience"),
    (r"(?:^|[._])(?:jws_|jwt_|sign(?:ing|ature)_?|token_)*algorithms?(?:\.\d+)?$|(?:^|[._])alg$|jwt_algo$|sign_algo$|mp\.jwt\.verify\.publickey\.algorithm", "algorithm"),
    (r"jwk_?s?_?(?:set_)?_?ur[il]$|jwks_?(?:uri|url|endpoint)$|certs_?url$|public_?key(?:_location|_path|_file)?$|mp\.jwt\.verify\.publickey\.location|key_set_url", "keys"),
    (r"(?:leeway|clock_?skew|clock_tolerance|clock_skew_seconds|lifespan_grace|iat_max_age)$", "leeway"),
    (r"(?:access_token_lifetime|token_(?:expir\w*|lifetime|ttl|validity\w*|duration)|expires_?in|jwt_(?:ttl|access_token_expires|expir\w*)|access_token_expire_minutes)$", "token-lifetime"),
    (r"(?:session_cookie_age|session\.(?:timeout|lifetime|max_age|gc_maxlifetime)|session_(?:lifetime|timeout|expir\w*)|cookie_expire|cookie_refresh|login_maximum_(?:inactive_)?lifetime\w*|remember_me\w*|maxage)$", "session-lifetime"),
    # where the credential is read
    (r"(?:auth_header_types?(?:\.\d+)?|token_?(?:prefix|type_prefix)|header_(?:type|prefix)|jwt_header_type|jwt_auth_header_prefix|auth_scheme|authentication_scheme|scheme_name)$", "scheme"),
    (r"(?:auth_header_name|header_name|key_names(?:\.\d+)?|api_?key_?header(?:_?name)?|token_header(?:_name)?|jwt_header_name|headerfield|auth_header|httpheadername|authresponseheaders(?:\.\d+)?|authrequestheaders(?:\.\d+)?|auth_response_headers|proxy_header|reverse_proxy_header|http_header_name|reverse_proxy_authentication_user|auth\.proxy\.header_name|csrf_header_name)$", "field"),
    (r"(?:jwt_access_cookie_name|session_cookie_name|cookie_?name|cookie\.name|session\.name|csrf_cookie_name|key_in_cookie|auth_cookie)$", "cookie-name"),
    # cookies
    (r"(?:cookie_?secure|cookie\.secure|session\.secure|session_secure_cookie|secure_cookies?|session_cookie_secure|csrf_cookie_secure)$", "cookie-secure"),
    (r"(?:cookie_?samesite|cookie\.same_?site|same_?site(?:_cookies?)?|session_same_site|session_cookie_samesite|csrf_cookie_samesite|cookie_same_site)$", "cookie-samesite"),
    (r"(?:cookie_?domains?|cookie\.domain|session_domain|session_cookie_domain|csrf_cookie_domain|cookie_domains(?:\.\d+)?|stateful_domains)$", "cookie-domain"),
    (r"(?:cookie_?path|cookie\.path|session_cookie_path|session\.path)$", "cookie-path"),
    # schemes, realms, rules
    (r"(?:^|[._])realm(?:_?name)?$|auth_htpasswd_realm$|quarkus\.http\.auth\.realm|keycloak\.realm", "realm"),
    (r"(?:default_authentication_classes|authentication_classes)(?:\.\d+)?$|quarkus\.http\.auth\.(?:basic|form\.enabled)$|xpack\.security\.authc\.providers|authentication\.(?:windows|anonymous|basic)\w*\.enabled$|basicauthentication\.enabled$|windowsauthentication\.enabled$|anonymousauthentication\.enabled$|auth(?:entication)?_?(?:mode|type|method|backend)$|\.guards?\.\w+\.driver$|defaults\.guard$|authentication_backends(?:\.\d+)?$", "mechanism"),
    (r"(?:default_permission_classes|permission_classes)(?:\.\d+)?$|fallbackpolicy$|policies\.\d+\.(?:type|policy)$|access_control\.rules\.\d+\.policy$|access_control\.default_policy$|quarkus\.http\.auth\.permission\.\S+\.policy$|quarkus\.http\.auth\.permission\.\S+\.paths$", "rule"),
    (r"(?:required_?scopes?|scopes?)(?:\.\d+)?$", "scope"),
    (r"(?:email_domains?|allowed_?(?:groups?|users?|emails?|domains?|roles?)|required_?(?:groups?|roles?))(?:\.\d+)?$", "user"),
    (r"(?:client_?cert(?:ificate)?_?(?:mode|auth|required)?|client_auth|verifyclient|mutual_?tls|client_ca_file|clientauthtype|clientcertificatemode)$", "certificate"),
    (r"(?:require_?https(?:_?metadata)?|secure_ssl_redirect|force_ssl|ssl_required|requirehttps|https_only|forcehttps)$", "https"),
    (r"(?:secure_proxy_ssl_header|trust_proxy|trusted_?proxies|trusted_proxies(?:\.\d+)?|use_x_forwarded_for|forward_headers_strategy|proxy_address_forwarding|whitelist(?:\.\d+)?|use_x_forwarded_host|trustproxies|overwriteprotocol)$", "trusted-proxy"),
    (r"(?:root_url|external_?url|base_?url|site_?url|app_url|public_?url|server_url|overwrite\.cli\.url|gf_server_root_url|hostname_url|frontend_url|wp_home|wp_siteurl|redirect_?ur[il]|callback_?url)$", "public-url"),
    (r"(?:allow_?credentials|supports_credentials|cors_allow_credentials)$", "cors-credentials"),
    (r"(?:allow_?(?:ed_)?origins?|cors_(?:allowed_|origin_)\w*|cors\.origins?)(?:\.\d+)?$", "cors-origin"),
    (r"(?:failure_limit|max_?attempts|max_?login_?(?:attempts|failures)|lockout\w*|ban_?time|find_?time|login_attempts_threshold|ip_ban_enabled|max_retries|throttle_rates\.\w+|cooloff_time|lockouttimespan|maxretry)$", "attempts"),
    (r"(?:hide_?credentials|pass_?authorization_?header|set_?authorization_?header|pass_access_token|set_xauthrequest|skip_jwt_bearer_tokens|forward_?auth\w*|trustforwardheader)$", "pass-on"),
    (r"(?:user_?(?:filter|search_?base|base_?dn)|search_?base(?:_dns)?|base_?dn|bind_?dn|group_search\w*|ldap_url|ldap_server|url_ldap)$", "directory"),
    (r"(?:disable_login_form|disable_auth|auth_disabled|disable_password_auth\w*|disallow_bruteforce\w*|basic_auth_enabled|auth\.basic\.enabled|rest_api_enabled|allow_password_auth|password_auth(?:entication)?_enabled\w*)$", "switch"),
)  # fmt: skip
_COMPILED = tuple((lazy(pattern), respect) for pattern, respect in _KEYS)

#: A key of these stands for its respect only in company: "scope" alone is often a Maven dependency's.
_NEEDS = {"scope": lazy(r"oauth|oidc|jwt|auth|scope[ds]?_required|required"), "user": lazy(r".")}
_SCOPED = frozenset({"compile", "test", "provided", "runtime", "import", "system"})

#: "validateAudience: false" is a switch, no audience; and a key set's own "alg" is no demand.
_SWITCH = lazy(r"(?:^|[._])(?:validate|verify|check|skip|require_signed)_\w+$")
_KEY_SET = lazy(r"(?:^|\.)keys\.\d+\.(?:alg|use|kid)$")

_FIELD_SET = lazy(
    r"(?i)customrequestheaders\.(?P<name>authorization|cookie)$|(?:set_headers?|add_headers?|proxy_set_header|requestheaders?|config\.(?:add|replace|append)\.headers)\S*\.(?P<other>authorization|cookie)$|(?:remove|strip)\S*header\S*$"
)


def _plain(key: str) -> str:
    """The key in lower case with words joined by `_`, so that `issuer-uri`, `issuerUri` and `ISSUER_URI` are one."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
    return words.replace("-", "_").replace("__", ".").replace(":", ".").lower()


def demands(settings: Iterable[Setting], hop: str | None = None) -> Iterator[Demand]:
    """One demand for each setting that the table knows."""
    for setting in settings:
        key = _plain(setting.key)
        if _SWITCH.search(key) or _KEY_SET.search(key):
            continue
        joined = key.replace("_", "")
        for pattern, respect in _COMPILED:
            if pattern.search(key) or pattern.search(joined):
                if respect == "scope" and (setting.text in _SCOPED or not _NEEDS["scope"].search(key)):
                    break
                yield Demand(respect, setting.text, setting.source, hop=_hop(key) or hop)
                break


#: The product that a key belongs to, by the beginning of the key.
_HOPS = (
    (r"spring\.|server\.servlet", "Spring"), (r"quarkus\.|mp\.jwt", "Quarkus"), (r"azuread\.|azureadb2c\.", "ASP.NET"),
    (r"rest_framework|simple_jwt|(?:session|csrf)_cookie_", "Django"), (r"oauth2_proxy", "oauth2-proxy"),
    (r"gf_|auth\.proxy|auth\.jwt", "Grafana"), (r"traefik\.|http\.middlewares", "Traefik"),
    (r"system\.web_?server|system\.web\b|configuration\.system", "IIS"), (r"registry_auth", "registry"),
    (r"homeassistant\.|http\.ip_ban", "Home Assistant"), (r"authelia|access_control\.", "Authelia"),
    (r"plugins\.\d+\.config", "Kong"), (r"xpack\.security", "Elasticsearch"), (r"jwt_auth_|wp_", "WordPress"),
)  # fmt: skip


def _hop(key: str) -> str | None:
    return next((name for start, name in _HOPS if re.search(rf"(?:^|\.){start}", key)), None)


def changes(settings: Iterable[Setting]) -> Iterator[Change]:
    """Settings by which a proxy overwrites or removes a credential field on its way."""
    for setting in settings:
        if "defaultrequestheaders" in setting.key.lower():  # a client's own: an offer, no change on the way
            continue
        match = _FIELD_SET.search(setting.key)
        name = (match["name"] or match["other"]) if match else None
        if match and name:
            yield Change("overwrites" if setting.text else "drops", name, setting.source, value="")
        elif match and re.search(r"(?i)authorization|cookie", setting.text):
            yield Change("drops", setting.text.split(":")[0][:40], setting.source)
        elif (
            re.search(r"(?i)hide_credentials$|removeheader$|removeAuthorizationHeader$", setting.key)
            and setting.text.lower() == "true"
        ):
            yield Change("drops", "Authorization", setting.source)
