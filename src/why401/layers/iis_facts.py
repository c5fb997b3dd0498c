"""What the configuration in force demands, changes and answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from why401.evidence import Answer, Change, Demand, Source
from why401.layers.iis_chain import Chain
from why401.layers.xml_lines import Element

HOP: Final = "IIS"
AUTHENTICATION: Final = ("system.webServer", "security", "authentication")
#: Element of `security/authentication` → the schemes that it asks for.
SCHEMES: Final = {
    "windowsAuthentication": ("Negotiate", "NTLM"),
    "basicAuthentication": ("Basic",),
    "digestAuthentication": ("Digest",),
}
#: The words of an answer to everybody.
NOTHING_ON: Final = "anonymous access is off and no login is on"
RULES: Final = (("system.web", "authorization"), ("system.webServer", "security", "authorization"))


class Facts:
    """Reads a chain for requests of a method ("" for any)."""

    def __init__(self, chain: Chain, method: str) -> None:
        self._chain, self._method = chain, method.upper()
        self.anonymous, self._off = chain.on((*AUTHENTICATION, "anonymousAuthentication"))
        self.denies = self._denied()
        self.demands = list(self._demands())
        self.changes = list(self._changes())
        self.answers = list(self._answers())
        self.upstream = next(self._upstreams(), "")

    @property
    def place(self) -> Source | None:
        return self.demands[0].source if self.demands else None

    @property
    def asks(self) -> Element | None:
        """What makes IIS ask for a login: anonymous access switched off, or a rule that denies `?`."""
        return self._off if not self.anonymous else self.denies

    def enabled(self) -> list[tuple[str, Element | None]]:
        """The schemes that are switched on, and where."""
        found = [(name, *self._chain.on((*AUTHENTICATION, name))) for name in SCHEMES]
        return [(name, where) for name, on, where in found if on]

    def _denied(self) -> Element | None:
        """The rule that keeps anonymous requests out; the first rule that fits decides."""
        for path in RULES:
            for rule in self._rules(path):
                users = _listed(rule, "users")
                if rule.name == "allow" and ("*" in users or "?" in users):
                    break
                if rule.attributes.get("accessType", "").lower() == "allow" and (
                    "*" in users or "?" in users
                ):
                    break
                if _refuses(rule) and ("?" in users or "*" in users):
                    return rule
        return None

    def _rules(self, path: tuple[str, ...]) -> Iterator[Element]:
        """The rules in the order in which they are tried: those of the inner part first."""
        for section in reversed(self._chain.sections(*path)):
            for rule in section.children:
                verbs = _listed(rule, "verbs")
                if not verbs or not self._method or self._method in {verb.upper() for verb in verbs}:
                    yield rule

    def _demands(self) -> Iterator[Demand]:
        by = self.asks
        if by is not None:
            mode, _ = self._chain.said(("system.web", "authentication"), "mode")
            for name, where in self.enabled():
                for scheme in SCHEMES[name]:
                    yield Demand("scheme", scheme, by.source, hop=HOP)
                realm, place = self._chain.said((*AUTHENTICATION, name), "realm")
                if realm and place is not None:
                    yield Demand("realm", realm, place.source, hop=HOP)
                if name == "windowsAuthentication":
                    yield from self._providers(where or by)
            if mode.lower() == "forms":
                yield from self._forms()
        yield from self._users()
        yield from self._addresses()
        flags, where = self._chain.said(("system.webServer", "security", "access"), "sslFlags")
        names = {flag.strip().lower() for flag in flags.split(",")}
        if where is not None and names & {"ssl", "ssl128"}:
            yield Demand("https", "on", where.source, hop=HOP)
        if where is not None and "sslrequirecert" in names:
            yield Demand("certificate", "on", where.source, hop=HOP)

    def _providers(self, where: Element) -> Iterator[Demand]:
        names = [
            e
            for e in self._chain.items(*AUTHENTICATION, "windowsAuthentication", "providers")
            if e.name == "add"
        ]
        if names:
            listed = " ".join(e.attributes.get("value", "") for e in names)
            yield Demand("providers", listed, names[0].source, hop=HOP)
        else:
            yield Demand("providers", "Negotiate NTLM", where.source, hop=HOP)

    def _forms(self) -> Iterator[Demand]:
        url, where = self._chain.said(("system.web", "authentication", "forms"), "loginUrl")
        name, named = self._chain.said(("system.web", "authentication", "forms"), "name")
        place = named or where or self.asks
        if place is not None:
            yield Demand("cookie", name or ".ASPXAUTH", place.source, hop=HOP)
            yield Demand("login", url or "login.aspx", place.source, hop=HOP)

    def _users(self) -> Iterator[Demand]:
        """Whom the rules let in, where they end with nobody else."""
        for path in RULES:
            allowed: list[str] = []
            for rule in self._rules(path):
                users, roles = _listed(rule, "users"), _listed(rule, "roles")
                if _refuses(rule) and "*" in users:
                    if len(allowed) == 1:
                        yield Demand("user", allowed[0], rule.source, hop=HOP)
                    break
                if not _refuses(rule):
                    if "*" in users:
                        break
                    allowed += [f"user {' '.join(users)}"] if users else []
                    allowed += [f"group {' '.join(roles)}"] if roles else []

    def _addresses(self) -> Iterator[Demand]:
        section = ("system.webServer", "security", "ipSecurity")
        entries = [
            e for e in self._chain.items(*section) if e.name == "add" and e.attributes.get("ipAddress")
        ]
        unlisted, where = self._chain.said(section, "allowUnlisted")
        if not entries and unlisted.lower() != "false":
            return
        rules = []
        for entry in entries:
            verb = "allow" if entry.attributes.get("allowed", "false").lower() == "true" else "deny"
            mask = entry.attributes.get("subnetMask", "")
            rules.append(f"{verb} {entry.attributes['ipAddress']}{'/' + mask if mask else ''}")
        rules.append("deny all" if unlisted.lower() == "false" else "allow all")
        yield Demand("address", ", ".join(rules), (where or entries[0]).source, hop=HOP)

    def _changes(self) -> Iterator[Change]:
        """Rewrite rules that set a field of the request (URL Rewrite, `serverVariables`)."""
        for rule in self._chain.items("system.webServer", "rewrite", "rules"):
            for variables in rule.all("serverVariables"):
                for item in variables.all("set"):
                    name = item.attributes.get("name", "")
                    if name.upper().startswith("HTTP_"):
                        value = item.attributes.get("value", "")
                        yield Change(
                            "overwrites" if value else "drops",
                            name[5:].replace("_", "-").title(),
                            item.source,
                            HOP,
                            value=value,
                        )

    def _answers(self) -> Iterator[Answer]:
        """Nobody may be anonymous, and no way to log in is switched on: 401.2 for everybody. Rules that begin with the
        refusal of everybody."""
        for path in RULES:
            first = next(self._rules(path), None)
            if first is not None and _refuses(first) and "*" in _listed(first, "users"):
                yield Answer(HOP, 401, first.source, words="the first rule denies everybody")
        mode, _ = self._chain.said(("system.web", "authentication"), "mode")
        if not self.anonymous and self._off is not None and not self.enabled() and mode.lower() != "forms":
            certificate = any(
                self._chain.on((*AUTHENTICATION, name))[0]
                for name in (
                    "clientCertificateMappingAuthentication",
                    "iisClientCertificateMappingAuthentication",
                )
            )
            if not certificate:
                yield Answer(HOP, 401, self._off.source, words=NOTHING_ON)

    def _upstreams(self) -> Iterator[str]:
        """Where a rewrite rule sends requests (Application Request Routing)."""
        for rule in self._chain.items("system.webServer", "rewrite", "rules"):
            for action in rule.all("action"):
                url = action.attributes.get("url", "")
                if action.attributes.get("type", "").lower() == "rewrite" and url.lower().startswith("http"):
                    scheme, _, rest = url.partition("://")
                    yield f"{scheme.lower()}://{rest.partition('/')[0]}"


def _refuses(rule: Element) -> bool:
    return rule.name == "deny" or rule.attributes.get("accessType", "").lower() == "deny"


def _listed(rule: Element, name: str) -> list[str]:
    return [part.strip() for part in rule.attributes.get(name, "").split(",") if part.strip()]
