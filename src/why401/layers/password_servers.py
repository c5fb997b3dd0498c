"""Which server can check which kind of stored password, and how each reads a password file.

`Server.source` names the code or documentation that a row was read from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from why401.layers.password_kinds import Kind


@dataclass(frozen=True, slots=True)
class Server:
    """How one product reads a password file and what it can check.

    `crypt` adds what the crypt(3) of its C library knows; `plain` means that every text is the password itself.
    `duplicates` says which of several lines of one user counts; `trims` that white space at both ends of a line
    does not count. A line without a colon (`bad_line`) is skipped, has the whole file refused, counts as a user
    without password (`ap_getword` of httpd), or eats the next line too where it is a part of the user's name
    (nginx goes on to the next line end when the one at hand does not fit).
    """

    says: str
    source: str
    kinds: frozenset[Kind] = frozenset()
    crypt: bool = False
    plain: bool = False
    libc: str = "libxcrypt"
    duplicates: Literal["first", "last", "refused"] = "first"
    cuts_at_colon: bool = True
    trims: bool = False
    bad_line: Literal["skipped", "refused", "counts", "eats-next"] = "skipped"
    one_colon: bool = False  # a second colon has the whole file refused
    indented: Literal["read", "skipped"] = "read"  # a line that begins with white space


_OLD = frozenset({Kind.DES, Kind.MD5, Kind.SHA256, Kind.SHA512})
#: What crypt(3) knows: libxcrypt (Debian 11, Ubuntu 20.04, Fedora 28, RHEL 8 and later; crypt(5)), musl
#: (Alpine; src/crypt/crypt_r.c), and the crypt that glibc itself had before (crypt(3) of man-pages).
LIBC: dict[str, frozenset[Kind]] = {
    "libxcrypt": _OLD | {Kind.BCRYPT, Kind.YESCRYPT},
    "musl": _OLD | {Kind.BCRYPT},
    "glibc": _OLD,
}

_NGINX = frozenset({Kind.APR1, Kind.SHA, Kind.SSHA, Kind.MARKED})
_NGINX_SOURCE = "nginx: src/core/ngx_crypt.c, ngx_http_auth_basic_module.c, nginx.org/r/auth_basic_user_file"
SERVERS: dict[str, Server] = {
    "nginx": Server("nginx", _NGINX_SOURCE, _NGINX, crypt=True, bad_line="eats-next"),
    "ingress-nginx": Server(
        "ingress-nginx (Alpine)", _NGINX_SOURCE, _NGINX, crypt=True, libc="musl", bad_line="eats-next"
    ),
    "apache": Server(
        "Apache httpd",
        "apr: crypto/apr_passwd.c; httpd: mod_authn_file.c, ap_cfg_getline; misc/password_encryptions.html",
        frozenset({Kind.BCRYPT, Kind.APR1, Kind.SHA}),
        crypt=True,
        trims=True,
        bad_line="counts",
    ),
    "lighttpd": Server(
        "lighttpd (htpasswd)",
        "lighttpd: src/mod_authn_file.c (CR is dropped since 1.4.60)",
        frozenset({Kind.APR1, Kind.SHA}),
        crypt=True,
        cuts_at_colon=False,
    ),
    "lighttpd-plain": Server(
        "lighttpd (plain)", "lighttpd: src/mod_authn_file.c", plain=True, cuts_at_colon=False
    ),
    "traefik": Server(
        "Traefik",
        "abbot/go-http-auth: basic.go; traefik: pkg/middlewares/auth/auth.go, basic_auth.go",
        frozenset({Kind.BCRYPT, Kind.APR1, Kind.MD5, Kind.SHA}),
        duplicates="last",
        cuts_at_colon=False,
        trims=True,
        bad_line="refused",
        one_colon=True,
    ),
    "registry": Server(
        "the registry",
        "distribution: registry/auth/htpasswd/htpasswd.go",
        frozenset({Kind.BCRYPT}),
        duplicates="last",
        cuts_at_colon=False,
        trims=True,
        bad_line="refused",
    ),
    "caddy": Server(
        "Caddy",
        "caddy: modules/caddyhttp/caddyauth/basicauth.go, bcrypt.go, argon2id.go",
        frozenset({Kind.BCRYPT, Kind.ARGON2ID}),
        duplicates="refused",
    ),
    "haproxy": Server(
        "HAProxy (password)", "haproxy: src/auth.c, configuration.txt section 12.2", crypt=True
    ),
    "haproxy-insecure": Server("HAProxy (insecure-password)", "haproxy: src/auth.c", plain=True),
    "squid": Server(
        "Squid's basic_ncsa_auth",
        "squid: src/auth/basic/NCSA/basic_ncsa_auth.cc, crypt_md5.cc",
        frozenset({Kind.APR1, Kind.MD5, Kind.MD5_HEX}),
        crypt=True,
        duplicates="last",
        indented="skipped",
    ),
    "envoy": Server(
        "Envoy", "envoy: source/extensions/filters/http/basic_auth/config.cc", frozenset({Kind.SHA})
    ),
    "tomcat": Server("Tomcat", "tomcat: MessageDigestCredentialHandler without an algorithm", plain=True),
    "tomcat-digest": Server(
        "Tomcat (MessageDigestCredentialHandler)",
        "tomcat: org.apache.catalina.realm.MessageDigestCredentialHandler",
        frozenset({Kind.SHA, Kind.SSHA, Kind.MD5_HEX}),
    ),
}


def can_check(server: str, kind: Kind, libc: str | None = None) -> bool:
    """Whether a server (a key of `SERVERS`) can check this kind; `libc` (a key of `LIBC`) where it is known."""
    row = SERVERS[server]
    return row.plain or kind in row.kinds or (row.crypt and kind in LIBC[libc or row.libc])


def checkable(server: str, libc: str | None = None) -> tuple[Kind, ...]:
    """The kinds that a server can check, for a sentence of mending."""
    return (Kind.PLAIN,) if SERVERS[server].plain else tuple(k for k in Kind if can_check(server, k, libc))
