"""What is to be sent: a request as a user typed it, and the little that an experiment changes in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from why401.secret import Secret

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to send. `fields` are sent as written; `user` is `name:password` as for curl's `-u`."""

    url: str
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)
    user: Secret | None = None
    auth: str = "basic"  # basic, digest, ntlm, negotiate, anyauth, bearer, aws-sigv4
    bearer: Secret | None = None
    aws_sigv4: str = ""
    follow: bool = True
    trusted: bool = False  # --location-trusted: credentials follow a redirect anywhere
    transport: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # curl's long option, value
    removed: tuple[str, ...] = ()  # curl's own fields that are not to be sent (`-H "Accept:"`), lower-case
    kept: tuple[tuple[str, str], ...] = ()  # cookies of `-b FILE` that do not go to the URL, and why not

    @property
    def safe(self) -> bool:
        """Whether the method may be repeated (RFC 9110, section 9.2.1)."""
        return self.method.upper() in SAFE_METHODS

    @property
    def origin(self) -> tuple[str, str, int | None]:
        """Scheme, host and port of the URL (RFC 9110, section 4.3.1)."""
        return origin_of(self.url)

    def get(self, name: str) -> str | None:
        """The first value of the field `name`."""
        return next((v for n, v in self.fields if n.lower() == name.lower()), None)

    def without(self, names: Iterable[str]) -> Ask:
        """The same request without these fields."""
        dropped = {name.lower() for name in names}
        return dataclasses.replace(self, fields=tuple(f for f in self.fields if f[0].lower() not in dropped))

    def with_field(self, name: str, value: str) -> Ask:
        """The same request with the field `name` set to `value` (in place of any other value)."""
        rest = self.without([name])
        return dataclasses.replace(rest, fields=(*rest.fields, (name, value)))

    def at(self, url: str) -> Ask:
        """The same request to another URL."""
        return dataclasses.replace(self, url=url)

    def anonymous(self) -> Ask:
        """The same request without any credential: no user, token, cookie or key, and none in the URL."""
        bare = self.without(name for name, _ in self.fields if is_credential_field(name))
        return dataclasses.replace(bare, user=None, bearer=None, aws_sigv4="", url=without_userinfo(bare.url))

    @property
    def has_credentials(self) -> bool:
        return bool(
            self.user
            or self.bearer
            or urlsplit(self.url).username
            or any(is_credential_field(name) for name, _ in self.fields)
        )


def is_credential_field(name: str) -> bool:
    """Whether a request field carries a credential of the user."""
    from why401.secret import is_sensitive_field

    return name.lower() != "proxy-authorization" and is_sensitive_field(name)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port (the scheme's default where none is written)."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.scheme, parts.hostname or "", port or DEFAULT_PORTS.get(parts.scheme)


def without_userinfo(url: str) -> str:
    """The URL without `user:password@`."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
