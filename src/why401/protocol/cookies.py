"""Cookies as a browser keeps them (RFC 6265bis): read, store, send, and say why not.

One departure: a Set-Cookie without "=" is dropped, as RFC 6265 and the http-state suite have it;
6265bis keeps it as a cookie without a name, which no login relies upon.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from why401.prefilter import lazy

from .cookie_dates import parse_date as parse_date
from .problems import Problem

MAX_PAIR = 4096  # name and value together (section 5.7)
MAX_ATTRIBUTE = 1024
MAX_AGE = timedelta(days=400)  # no cookie lives longer (section 5.6.1)
_CONTROL = lazy(r"[\x00-\x08\x0a-\x1f\x7f]")
_WSP = " \t"

# Public suffixes under which people do host things; the full list is 15,000 lines and changes weekly.
# A single label is always one.
_SUFFIXES = """
co.uk org.uk gov.uk ac.uk me.uk ltd.uk com.au net.au org.au gov.au edu.au co.nz org.nz govt.nz co.jp
ne.jp or.jp ac.jp go.jp co.kr or.kr co.in net.in org.in gov.in com.br net.br org.br gov.br com.mx
com.ar com.co com.tr com.cn net.cn org.cn gov.cn com.hk com.sg com.tw com.my co.id co.th co.za co.il
com.ua com.pl com.pt com.es com.vn com.ph com.pe com.sa com.eg co.ke com.ng
github.io gitlab.io bitbucket.io githubusercontent.com pages.dev workers.dev vercel.app now.sh
netlify.app netlify.com herokuapp.com herokussl.com azurewebsites.net azurestaticapps.net
cloudapp.net cloudfront.net elasticbeanstalk.com amplifyapp.com web.app firebaseapp.com appspot.com
run.app cloudfunctions.net fly.dev onrender.com up.railway.app railway.app surge.sh glitch.me
repl.co replit.app streamlit.app ngrok.io ngrok.app ngrok-free.app ngrok.dev trycloudflare.com
loca.lt blogspot.com wordpress.com myshopify.com deno.dev render.com digitaloceanspaces.com
ondigitalocean.app s3.amazonaws.com lambda-url.us-east-1.on.aws nip.io sslip.io
"""
PUBLIC_SUFFIXES = frozenset(_SUFFIXES.split())


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One Set-Cookie value, read (section 5.6), not judged. Attributes are lower-cased, the last wins."""

    name: str
    value: str
    attributes: dict[str, str]
    problems: tuple[Problem, ...] = ()

    def has(self, attribute: str) -> bool:
        return attribute in self.attributes


@dataclass(frozen=True, slots=True)
class StoredCookie:
    """A cookie in the jar (section 5.7)."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    http_only: bool
    same_site: str  # "strict", "lax", "none", or "default" where the server said nothing
    expires: datetime | None  # None: until the browser is closed
    created: datetime
    order: int = 0
    partitioned: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one Set-Cookie value: stored, or a slug and a sentence why not."""

    cookie: StoredCookie | None
    kind: str  # "stored", "deleted", or the reason for the refusal
    says: str
    parsed: SetCookie

    @property
    def stored(self) -> bool:
        return self.kind == "stored"


@dataclass(frozen=True, slots=True)
class CookieHeader:
    """The value of one Cookie field: pairs in order; `duplicates` are names that stand more than once."""

    pairs: tuple[tuple[str, str], ...]
    duplicates: tuple[str, ...]
    size: int
    problems: tuple[Problem, ...] = ()


# ---------------------------------------------------------------------------------------------- reading


def parse_set_cookie(value: str) -> SetCookie:
    """Read one Set-Cookie value (section 5.6)."""
    problems = [
        Problem("control-character", m.span(), "A control character stands in the cookie; browsers drop it.")
        for m in _CONTROL.finditer(value)
    ]
    pair, _, rest = value.partition(";")
    name, equals, content = pair.partition("=")
    name, content = name.strip(_WSP), content.strip(_WSP)
    if not equals or not name:
        problems.append(Problem("no-name", (0, len(pair)), "The cookie has no name before an equals sign."))
        name, content = ("", content if equals else pair.strip(_WSP))
    attributes: dict[str, str] = {}
    at = len(pair) + 1
    for part in rest.split(";") if rest else ():
        key, _, text = part.partition("=")
        key, text = key.strip(_WSP).lower(), text.strip(_WSP)
        if len(text) > MAX_ATTRIBUTE:
            says = f"The attribute {key[:20]} is longer than {MAX_ATTRIBUTE} octets and is ignored."
            problems.append(Problem("long-attribute", (at, at + len(part)), says))
        elif key and not (key == "domain" and not text):  # an empty Domain is as none (RFC 6265, 5.2.3)
            attributes[key] = text
        at += len(part) + 1
    return SetCookie(name, content, attributes, tuple(problems))


def parse_cookie(value: str) -> CookieHeader:
    """Read one Cookie value (section 4.2.1)."""
    pairs: list[tuple[str, str]] = []
    problems: list[Problem] = []
    at = 0
    for part in value.split(";"):
        name, equals, content = part.partition("=")
        if part.strip():
            pairs.append((name.strip(), content.strip()) if equals else ("", part.strip()))
        if part.strip() and not equals:
            says = "This part of the Cookie field has no equals sign."
            problems.append(Problem("no-equals", (at, at + len(part)), says))
        if "," in content and "=" in content.partition(",")[2]:
            comma = at + part.index(",")
            says = "A comma joins two cookies; only a semicolon may."
            problems.append(Problem("comma-joined", (comma, comma + 1), says))
        at += len(part) + 1
    if any(n.lower() in ("path", "domain", "expires", "max-age", "samesite") for n, _ in pairs[1:]):
        says = "Attributes of Set-Cookie (Path, Domain, ...) are sent back as if they were cookies."
        problems.append(Problem("attributes-sent", (0, len(value)), says))
    elif value.lower().startswith(("cookie:", "set-cookie:")):
        problems.append(
            Problem("field-name-in-value", (0, value.index(":") + 1), "The field name is in the value.")
        )
    problems += [
        Problem("control-character", m.span(), "A control character stands in the Cookie field.")
        for m in _CONTROL.finditer(value)
    ]
    names = [name for name, _ in pairs]
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    duplicates = tuple(name for name, count in counted.items() if count > 1)
    return CookieHeader(
        tuple(pairs), duplicates, len(value.encode("utf-8", "surrogatepass")), tuple(problems)
    )


# ---------------------------------------------------------------------------------------------- matching


def domain_match(host: str, domain: str) -> bool:
    """Section 5.1.3: the same, or a subdomain of it; an address matches only itself."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_match(path: str, cookie_path: str) -> bool:
    """Section 5.1.4: the same, or below it at a slash."""
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")


def default_path(path: str) -> str:
    """Section 5.1.4: the directory of the request path."""
    return path[: path.rindex("/")] if path.startswith("/") and path.count("/") > 1 else "/"


def is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def is_public_suffix(domain: str) -> bool:
    """May anybody register below this domain? Single labels and a short list of common suffixes."""
    return "." not in domain.strip(".") or domain in PUBLIC_SUFFIXES


def is_secure(scheme: str, host: str) -> bool:
    """Browsers count loopback as secure (W3C Secure Contexts, section 3.1)."""
    return (
        scheme in ("https", "wss")
        or host == "localhost"
        or host.endswith(".localhost")
        or host == "127.0.0.1"
    )


def _split(url: str) -> tuple[str, str, str]:
    """Scheme, host, path; what cannot be read is empty."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".") if parts.hostname != "." else ""
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    return parts.scheme.lower(), _ascii(host), parts.path or "/"


def _ascii(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except UnicodeError:
        return host.lower()


# ---------------------------------------------------------------------------------------------- storing


@dataclass(frozen=True, slots=True)
class _Offer:
    """A Set-Cookie value in its place: what the rules below look at."""

    cookie: SetCookie
    scheme: str
    host: str
    domain: str  # of the Domain attribute, without the leading dot; empty without one

    @property
    def secure_origin(self) -> bool:
        return is_secure(self.scheme, self.host)

    def prefixed(self, prefix: str) -> bool:
        return self.cookie.name.lower().startswith(prefix)  # 6265bis: prefixes ignore case


# Why a cookie is refused (section 5.7), in the order in which a browser asks.
_REFUSALS: tuple[tuple[str, Callable[[_Offer], bool], str], ...] = (
    (
        "control-character",
        lambda o: any(p.kind == "control-character" for p in o.cookie.problems),
        "it has a control character",
    ),
    ("no-name", lambda o: not o.cookie.name, "it has no name"),
    (
        "too-large",
        lambda o: len((o.cookie.name + o.cookie.value).encode("utf-8", "surrogatepass")) > MAX_PAIR,
        f"name and value are longer than {MAX_PAIR} octets",
    ),
    (
        "domain-is-address",
        lambda o: bool(o.domain) and is_address(o.host) and o.domain != o.host,
        "the host is an address, and Domain names something else",
    ),
    (
        "public-suffix",
        lambda o: bool(o.domain) and is_public_suffix(o.domain) and o.domain != o.host,
        "Domain is a public suffix, below which anybody may register",
    ),
    (
        "domain-mismatch",
        lambda o: bool(o.domain) and not domain_match(o.host, o.domain),
        "Domain is neither the host that set it nor a parent of it",
    ),
    (
        "secure-over-http",
        lambda o: o.cookie.has("secure") and not o.secure_origin,
        "it is Secure, but was set over http",
    ),
    (
        "same-site-none-without-secure",
        lambda o: o.cookie.attributes.get("samesite", "").lower() == "none" and not o.cookie.has("secure"),
        "it says SameSite=None without Secure",
    ),
    (
        "secure-prefix",
        lambda o: o.prefixed("__secure-") and not (o.cookie.has("secure") and o.secure_origin),
        "its name begins with __Secure-, which needs Secure and https",
    ),
    (
        "host-prefix",
        lambda o: (
            o.prefixed("__host-")
            and not (
                o.cookie.has("secure")
                and o.secure_origin
                and not o.domain
                and o.cookie.attributes.get("path") == "/"
            )
        ),
        "its name begins with __Host-, which needs Secure, https, Path=/ and no Domain",
    ),
    (
        "partitioned-without-secure",
        lambda o: o.cookie.has("partitioned") and not o.cookie.has("secure"),
        "it is Partitioned without Secure",
    ),
)


@dataclass(slots=True)
class CookieJar:
    """A browser's cookie store with its clock held still at `now`."""

    now: datetime
    cookies: list[StoredCookie] = field(default_factory=list)
    _count: int = 0

    def store(self, url: str, set_cookie_values: Iterable[str]) -> tuple[Verdict, ...]:
        """Take the Set-Cookie values of one response; a verdict for each."""
        return tuple(self._store_one(url, value) for value in set_cookie_values)

    def cookies_for(self, url: str) -> list[StoredCookie]:
        """The cookies of a same-site request, in sending order: longer paths first, then older (5.8.3)."""
        sent = [cookie for cookie in self.cookies if self.why_not(cookie, url) is None]
        return sorted(sent, key=lambda cookie: (-len(cookie.path), cookie.created, cookie.order))

    def why_not(self, cookie: StoredCookie, url: str) -> str | None:
        return why_not_sent(cookie, url, now=self.now)

    def header_for(self, url: str) -> str:
        """The Cookie field value."""
        return "; ".join(f"{c.name}={c.value}" for c in self.cookies_for(url))

    def _store_one(self, url: str, value: str) -> Verdict:
        parsed = parse_set_cookie(value)
        scheme, host, path = _split(url)
        domain = _ascii(parsed.attributes.get("domain", "").removeprefix("."))
        offer = _Offer(parsed, scheme, host, domain)
        for kind, refused, why in _REFUSALS:
            if refused(offer):
                return Verdict(
                    None, kind, f"The cookie {parsed.name or '(nameless)'} is refused: {why}.", parsed
                )
        return self._keep(self._made(offer, path), parsed, offer)

    def _made(self, offer: _Offer, path: str) -> StoredCookie:
        attributes = offer.cookie.attributes
        # A Domain that is itself a public suffix but equals the host makes a host-only cookie (5.7, step 9).
        domain = "" if is_public_suffix(offer.domain) or is_address(offer.host) else offer.domain
        cookie_path = attributes.get("path", "")
        same_site = attributes.get("samesite", "").lower()
        self._count += 1
        return StoredCookie(
            name=offer.cookie.name,
            value=offer.cookie.value,
            domain=domain or offer.host,
            path=cookie_path if cookie_path.startswith("/") else default_path(path),
            host_only=not domain,
            secure="secure" in attributes,
            http_only="httponly" in attributes,
            same_site=same_site if same_site in ("strict", "lax", "none") else "default",
            expires=_expiry(attributes, self.now),
            created=self.now,
            order=self._count,
            partitioned="partitioned" in attributes,
        )

    def _keep(self, new: StoredCookie, parsed: SetCookie, offer: _Offer) -> Verdict:
        if not new.secure and not offer.secure_origin and any(_shadows(old, new) for old in self.cookies):
            says = f"The cookie {new.name} is refused: over http it may not replace a Secure cookie."
            return Verdict(None, "overwrites-secure", says, parsed)
        key = (new.name, new.domain, new.host_only, new.path)
        old = next((c for c in self.cookies if (c.name, c.domain, c.host_only, c.path) == key), None)
        if old is not None:
            self.cookies.remove(old)
            new = replace(new, created=old.created, order=old.order)
        if new.expires is not None and new.expires <= self.now:
            says = f"The cookie {new.name} has expired already, which deletes it."
            return Verdict(new, "deleted" if old else "expired", says, parsed)
        self.cookies.append(new)
        return Verdict(new, "stored", f"The cookie {new.name} is stored.", parsed)


def _shadows(old: StoredCookie, new: StoredCookie) -> bool:
    """Leave Secure cookies alone (section 5.7, step 16)."""
    return (
        old.secure
        and old.name == new.name
        and (domain_match(new.domain, old.domain) or domain_match(old.domain, new.domain))
        and path_match(new.path, old.path)
    )


def _expiry(attributes: dict[str, str], now: datetime) -> datetime | None:
    """Max-Age beats Expires; neither makes a session cookie; nothing lives beyond 400 days."""
    seconds = attributes.get("max-age", "")
    if re.fullmatch(r"-?[0-9]+", seconds):
        if seconds.startswith("-") or not seconds.strip("0"):
            return datetime.min.replace(tzinfo=UTC)
        limit = int(MAX_AGE.total_seconds())
        return now + timedelta(seconds=int(seconds) if len(seconds) < 10 and int(seconds) < limit else limit)
    return parse_date(attributes["expires"]) if "expires" in attributes else None


# ---------------------------------------------------------------------------------------------- sending


def why_not_sent(
    cookie: StoredCookie,
    url: str,
    *,
    same_site: bool = True,
    top_level_navigation: bool = True,
    method: str = "GET",
    now: datetime | None = None,
) -> str | None:
    """Why a browser leaves this cookie out of a request, or None when it is sent (sections 5.8.3, 5.2)."""
    scheme, host, path = _split(url)
    if now is not None and cookie.expires is not None and cookie.expires <= now:
        return "it has expired"
    if cookie.host_only and host != cookie.domain:
        return f"it has no Domain and so goes back to {cookie.domain} only"
    if not domain_match(host, cookie.domain):
        return f"its domain is {cookie.domain}, and {host or 'the URL'} is not below it"
    if not path_match(path, cookie.path):
        return f"its path is {cookie.path}, and {path} is not below it"
    if cookie.secure and not is_secure(scheme, host):
        return "it is Secure, and the request is not made over https"
    return None if same_site else _cross_site(cookie, top_level_navigation, method)


def _cross_site(cookie: StoredCookie, top_level_navigation: bool, method: str) -> str | None:
    if cookie.same_site == "none":
        return None
    if cookie.same_site == "strict":
        return "it is SameSite=Strict, and the request comes from another site"
    said = "it is SameSite=Lax" if cookie.same_site == "lax" else "it names no SameSite, which counts as Lax"
    if not top_level_navigation:
        return f"{said}, and the request comes from another site and is no navigation of the whole page"
    if method.upper() not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return f"{said}, and the request comes from another site with the method {method.upper()}"
    return None


def same_site(url: str, other: str) -> bool:
    """Are two URLs of one site: the same scheme and registrable domain (HTML, "same site")?"""
    (scheme, host, _), (other_scheme, other_host, _) = _split(url), _split(other)
    return scheme == other_scheme and _site(host) == _site(other_host)


def _site(host: str) -> str:
    if is_address(host):
        return host
    labels = host.split(".")
    for start in range(len(labels) - 1):
        if is_public_suffix(".".join(labels[start + 1 :])) and not is_public_suffix(".".join(labels[start:])):
            return ".".join(labels[start:])
    return host


def limits(cookies: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """What about this many and this large cookies a server or browser may refuse."""
    size = sum(len(name) + len(value) + 3 for name, value in cookies)
    out = []
    if size > 8190:
        out.append(f"The Cookie field has {size} octets; Apache and nginx allow about 8190 in a line.")
    elif size > 4096:
        out.append(f"The Cookie field has {size} octets; some servers allow only 4096.")
    if len(cookies) > 180:
        out.append(f"{len(cookies)} cookies are sent; Chromium keeps at most 180 for a domain.")
    return tuple(out)
