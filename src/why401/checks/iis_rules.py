"""What only IIS gets wrong: no scheme switched on, rules in an order that lets nobody in, modules that were removed,
Windows logins before an application that reads tokens."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_demands import carried
from why401.evidence import Evidence, Source
from why401.findings import AGAINST, CLEAR, HINT, NAMED, STRONG, Finding, Where
from why401.layers.iis import HOP, IIS
from why401.layers.iis_chain import Chain
from why401.layers.iis_facts import AUTHENTICATION, NOTHING_ON, SCHEMES
from why401.layers.model import Edit
from why401.layers.xml_lines import Element
from why401.path import Walk, routes, walks

#: Which module answers for a setting, by the names under which it is removed.
MODULES = {
    "windowsAuthentication": ("windowsauthenticationmodule",),
    "basicAuthentication": ("basicauthenticationmodule",),
    "digestAuthentication": ("digestauthenticationmodule",),
}
_NTLM = b"NTLMSSP\0"


def _layers(evidence: Evidence) -> Iterator[IIS]:
    held = {id(route.layer) for route in routes(evidence)}
    for layer in evidence.layers:
        if isinstance(layer, IIS) and (id(layer) in held or not evidence.exchanges):
            yield layer


def _chains(evidence: Evidence) -> Iterator[Chain]:
    """What is in force at each place that a file speaks of, or only where the requests go."""
    if evidence.exchanges:
        yield from (chain for _, chain in _asked(evidence))
        return
    for layer in _layers(evidence):
        for path in dict.fromkeys(part.path for part in layer.parts):
            yield layer.chain(path)


def _asked(evidence: Evidence) -> Iterator[tuple[Walk, Chain]]:
    for one in walks(evidence):
        for route in one.routes:
            if isinstance(route.layer, IIS):
                yield one, route.layer.chain(one.request.path.partition("?")[0])


def _switched(element: Element | None, name: str, value: str) -> tuple[Edit, ...]:
    """The edit of an attribute that stands on one line."""
    if element is None:
        return ()
    lines = element.document.lines
    text = lines[element.line - 1].rstrip("\r\n") if element.line <= len(lines) else ""
    new, number = re.subn(rf'({name}\s*=\s*)(["\'])[^"\']*\2', rf"\g<1>\g<2>{value}\g<2>", text, flags=re.I)
    return (Edit(element.document, element.line, element.line, (new,)),) if number == 1 else ()


@rule
def no_scheme_enabled(evidence: Evidence) -> Iterator[Finding]:
    """Anonymous access is off and no way to log in is on: IIS answers 401.2 to everybody."""
    for route in routes(evidence):
        answer = next((a for a in route.answers if a.words == NOTHING_ON), None)
        if answer is None or not isinstance(route.layer, IIS):
            continue
        known = route.layer.top.first("system.applicationHost") is not None
        windows = [
            e for p in route.layer.parts for e in p.element.walk() if e.name == "windowsAuthentication"
        ]
        if not known and not windows and not evidence.exchanges:
            continue  # applicationHost.config, which is not here, may switch a scheme on
        yield Finding(
            "iis-no-scheme",
            "Anonymous access is switched off here and no authentication is switched on, so IIS has nothing to offer: "
            "it answers 401.2 to everybody.",
            {
                "auth-not-wired": NAMED,
                "auth-setting-wrong": CLEAR,
                "no-credentials": AGAINST,
                "wrong-password": AGAINST,
            },
            Where.of(answer.source),
            "answered-here",
            HOP,
            fix="Switch on the authentication that is meant (windowsAuthentication, basicAuthentication), or anonymous "
            "access if the application checks its users itself.",
        )
        return


@rule
def denied_before_allowed(evidence: Evidence) -> Iterator[Finding]:
    """The first rule that fits decides; one that denies everybody stands before those that allow somebody."""
    seen: set[Source] = set()
    for chain in _chains(evidence):
        for section in chain.sections("system.web", "authorization"):
            rules = section.children
            for at, first in enumerate(rules[:-1]):
                later = [r for r in rules[at + 1 :] if r.name == "allow"]
                everybody = first.name == "deny" and first.attributes.get("users", "").strip() == "*"
                if not everybody or first.attributes.get("verbs") or not later or first.source in seen:
                    continue
                seen.add(first.source)
                yield Finding(
                    "iis-denied-before-allowed",
                    "The first rule that fits decides: this one denies everybody, so the allow below is never reached.",
                    {"auth-rule-unintended": STRONG, "not-permitted": CLEAR, "wrong-password": AGAINST},
                    Where.of(first.source),
                    "authorization-order",
                    HOP,
                    fix='Put the allow rules above <deny users="*" />.',
                    edits=_moved(first, later),
                )


def _moved(first: Element, later: list[Element]) -> tuple[Edit, ...]:
    """The allow lines, then the deny line, where each rule stands on a line of its own."""
    lines = first.document.lines
    numbers = [first.line, *(one.line for one in later)]
    texts = [lines[n - 1].rstrip("\r\n") for n in numbers if n <= len(lines)]
    whole = all(t.strip().startswith("<") and t.strip().endswith("/>") for t in texts)
    if not whole or len(set(numbers)) < len(numbers) or numbers != list(range(numbers[0], numbers[-1] + 1)):
        return ()
    return (Edit(first.document, numbers[0], numbers[-1], (*texts[1:], texts[0])),)


@rule
def module_removed(evidence: Evidence) -> Iterator[Finding]:
    """A scheme is switched on, and the module that would speak it is removed."""
    for chain in _chains(evidence):
        modules = chain.sections("system.webServer", "modules")
        removed = {e.attributes.get("name", "").lower(): e for m in modules for e in m.all("remove")}
        added = {e.attributes.get("name", "").lower() for m in modules for e in m.all("add")}
        for name, by in MODULES.items():
            gone = next((removed[m] for m in by if m in removed and m not in added), None)
            if gone is not None and chain.on((*AUTHENTICATION, name))[0]:
                yield _without_module(gone, name)
                return
        mode, _ = chain.said(("system.web", "authentication"), "mode")
        gone = removed.get("formsauthentication") or removed.get("formsauthenticationmodule")
        if gone is not None and mode.lower() == "forms" and "formsauthentication" not in added:
            yield _without_module(gone, "Forms authentication")
            return


def _without_module(gone: Element, name: str) -> Finding:
    return Finding(
        "iis-module-removed",
        f"{name} is switched on, and the module that speaks it is removed here: nobody is ever logged in.",
        {"auth-not-wired": NAMED, "wrong-password": AGAINST, "no-credentials": AGAINST},
        Where.of(gone.source),
        "module-removed",
        HOP,
        fix="Take this <remove> out.",
        edits=_without_line(gone),
    )


def _without_line(element: Element) -> tuple[Edit, ...]:
    lines = element.document.lines
    text = lines[element.line - 1].strip() if element.line <= len(lines) else ""
    whole = text.startswith("<remove") and text.endswith("/>") and text.count("<") == 1
    return (Edit(element.document, element.line, element.line, ()),) if whole else ()


@check
def login_before_application(evidence: Evidence) -> Iterator[Finding]:
    """IIS asks for its own login before an application (aspNetCore, a rewrite) that reads Authorization."""
    for one, chain in _asked(evidence):
        behind = chain.sections("system.webServer", "aspNetCore") or chain.sections(
            "system.webServer", "rewrite"
        )
        off, where = chain.on((*AUTHENTICATION, "anonymousAuthentication"))
        schemes = {
            s.lower() for name in SCHEMES if chain.on((*AUTHENTICATION, name))[0] for s in SCHEMES[name]
        }
        sent = carried(one.request)
        if not behind or off or where is None or not sent or sent in schemes or one.status not in (401, None):
            continue
        yield Finding(
            "iis-login-before-application",
            f"Anonymous access is off, so IIS asks for its own login first and refuses what the request carries "
            f"({sent.title()}): the application behind, which reads it, is never asked.",
            {
                "auth-layers-collide": NAMED,
                "wrong-scheme": HINT,
                "wrong-password": AGAINST,
                "token-expired": AGAINST,
            },
            Where.of(where.source),
            "demanded-scheme",
            HOP,
            fix="Switch anonymous access on for the paths of the API; the application still checks the token.",
            edits=_switched(where, "enabled", "true"),
            opens=one.request.path.partition("?")[0],
        )
        return


@check
def windows_user_not_forwarded(evidence: Evidence) -> Iterator[Finding]:
    """IIS logs the user in, and the module does not tell the application who it is."""
    for one, chain in _asked(evidence):
        said, where = chain.said(("system.webServer", "aspNetCore"), "forwardWindowsAuthToken")
        windows, _ = chain.on((*AUTHENTICATION, "windowsAuthentication"))
        if said.lower() != "false" or where is None or not windows or one.status not in (401, 403, None):
            continue
        yield Finding(
            "iis-windows-user-not-forwarded",
            "Windows authentication is on, and forwardWindowsAuthToken is false: the application never learns who "
            "logged in.",
            {"gateway-stripped-credentials": STRONG, "auth-not-wired": CLEAR, "wrong-password": AGAINST},
            Where.of(where.source),
            "windows-token",
            HOP,
            fix='Set forwardWindowsAuthToken="true".',
            edits=_switched(where, "forwardWindowsAuthToken", "true"),
        )
        return


@check
def only_kerberos(evidence: Evidence) -> Iterator[Finding]:
    """Only Kerberos is offered, and the client answered with NTLM, or the other way round."""
    for one in walks(evidence):
        for route in one.routes:
            listed = route.demand("providers") if isinstance(route.layer, IIS) else None
            kind = _token_kind(one.request.fields.get("authorization") or "")
            if listed is None or not kind:
                continue
            names = listed.value.lower().split()
            if kind == "NTLM" and "ntlm" not in names and "negotiate" not in names:
                says = f"The client answered with NTLM, and IIS takes only {listed.value} here."
            elif kind == "Kerberos" and not any(n.startswith("negotiate") for n in names):
                says = "The client answered with Kerberos, and IIS takes only NTLM here."
            else:
                continue
            yield Finding(
                "iis-other-provider",
                says,
                {"negotiate-failed": NAMED, "wrong-password": AGAINST},
                Where.of(listed.source),
                "providers",
                HOP,
                fix="Add the provider that clients use, or find out why they have no Kerberos ticket (SPN, DNS name).",
            )
            return


def _token_kind(value: str) -> str:
    """What an Authorization value of Windows authentication holds."""
    scheme, _, rest = value.partition(" ")
    if scheme.lower() not in ("negotiate", "ntlm"):
        return ""
    try:
        octets = base64.b64decode(rest[:64] + "=" * (-len(rest[:64]) % 4))
    except (binascii.Error, ValueError):
        return ""
    return "NTLM" if octets.startswith(_NTLM) else "Kerberos" if octets[:1] == b"\x60" else ""


@check
def bound_to_the_channel(evidence: Evidence) -> Iterator[Finding]:
    """Extended protection binds a Windows login to the TLS connection; what ends TLS in between breaks it."""
    for one, chain in _asked(evidence):
        section = (*AUTHENTICATION, "windowsAuthentication", "extendedProtection")
        said, where = chain.said(section, "tokenChecking")
        if said.lower() != "require" or where is None or carried(one.request) not in ("negotiate", "ntlm"):
            continue
        yield Finding(
            "iis-extended-protection",
            "Extended protection is required: a Windows login counts only on the very TLS connection that it was made "
            "for, so a proxy that ends TLS, plain http and old clients are refused (401.1).",
            {"negotiate-failed": STRONG, "wrong-password": HINT},
            Where.of(where.source),
            "extended-protection",
            HOP,
            fix='Set tokenChecking="Allow", or let TLS end at IIS itself.',
            edits=_switched(where, "tokenChecking", "Allow"),
        )
        return


@check
def forms_cookie_kept_back(evidence: Evidence) -> Iterator[Finding]:
    """The cookie of Forms authentication is bound to https, or to a path that the request is not below."""
    for one, chain in _asked(evidence):
        section = ("system.web", "authentication", "forms")
        tls, where = chain.on(section, "requireSSL")
        path, by = chain.said(section, "path")
        url = one.request.url or ""
        if tls and where is not None and url.startswith("http://"):
            yield Finding(
                "iis-forms-cookie-needs-tls",
                "The login's cookie is marked Secure (requireSSL), and the request is plain http: no browser sends it.",
                {"https-required": STRONG, "cookie-not-stored": STRONG, "wrong-password": AGAINST},
                Where.of(where.source), "forms-cookie", HOP, fix="Use https, as the setting means.",
            )  # fmt: skip
            return
        if by is not None and path not in ("", "/") and not one.request.path.startswith(path):
            near = one.request.path.lower().startswith(path.lower())
            yield Finding(
                "iis-forms-cookie-path",
                f"The login's cookie is for {path}" + (", and cookies compare with case." if near else "."),
                {"cookie-not-sent": STRONG, "no-credentials": HINT, "wrong-password": AGAINST},
                Where.of(by.source), "forms-cookie", HOP, fix='Set path="/".', edits=_switched(by, "path", "/"),
            )  # fmt: skip
            return


@check
def sessions_of_each_process(evidence: Evidence) -> Iterator[Finding]:
    """A web garden has several processes, and each keeps the sessions that it made."""
    for _, chain in _asked(evidence):
        pools = chain.sections("system.applicationHost", "applicationPools")
        models = [e for pool in pools for e in pool.walk() if e.name == "processModel"]
        many = next((e for e in models if e.attributes.get("maxProcesses", "1") not in ("0", "1")), None)
        mode, _ = chain.said(("system.web", "sessionState"), "mode")
        if many is None or mode.lower() not in ("", "inproc"):
            continue
        yield Finding(
            "iis-sessions-of-each-process",
            "The application pool runs several processes (maxProcesses), and each keeps its sessions in memory: a "
            "request that reaches another one is not logged in.",
            {"session-unknown": STRONG, "session-expired": HINT},
            Where.of(many.source),
            "web-garden",
            HOP,
            fix="Set maxProcesses to 1, or keep sessions in a state server or database.",
            edits=_switched(many, "maxProcesses", "1"),
        )
        return
