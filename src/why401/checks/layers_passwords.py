"""Checks of the password file that a directive names: whether it is there, whole, and fits the credentials.

Nothing is guessed: the password that the request carries is checked against the file as the server would do it,
so a wrong one is proved without another login.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.evidence import Demand, Evidence, Request
from why401.findings import AGAINST, CLEAR, HINT, NAMED, PROVED, RULED_OUT, STRONG, Finding, Where
from why401.layers.file_problems import FileProblem
from why401.layers.model import Edit, Route
from why401.layers.passwords import PasswordFile, lookup, parse
from why401.layers.tree import Absence, Document
from why401.path import Walk, routes, walks
from why401.protocol import basic
from why401.secret import Secret

#: The hop's name → how it reads a password file (a key of `password_servers.SERVERS`).
_SERVERS = {
    "nginx": "nginx",
    "ingress-nginx": "ingress-nginx",
    "Apache httpd": "apache",
    "lighttpd": "lighttpd",
    "Traefik": "traefik",
    "registry": "registry",
    "docker registry": "registry",
    "Squid": "squid",
}
#: Kinds of problems of one line that let nobody in by it, whatever the server.
_HOPELESS = frozenset(
    "doubled-dollar escaped-dollar dollar-eaten quoted damaged empty no-colon bom not-text cr-only".split()
)
_MANGLED = frozenset({"doubled-dollar", "escaped-dollar", "dollar-eaten", "quoted"})


@dataclass(frozen=True)
class _Asked:
    """A demand for a password file, the file and the route."""

    route: Route
    demand: Demand
    document: Document
    server: str

    @property
    def file(self) -> PasswordFile:
        """The file as parsed; its passwords are told to the layer, so that no report shows them."""
        found = parse(self.document.text)
        layer = self.route.layer
        if layer is not None:
            layer.secrets |= set(_hidden(found))
        return found

    def at(self, line: int | None) -> Where:
        return Where(self.document.name, line or 1)


def _hidden(file: PasswordFile) -> Iterator[Secret]:
    """Each stored password, as it stands and as it was before quoting damaged it."""
    from why401.layers.password_kinds import recognise

    for entry in file.entries:
        whole = recognise(entry.stored.reveal()).mended
        yield from (
            s for s in (Secret(entry.stored.reveal().strip()), entry.stored, whole) if s and len(s) > 5
        )


def _asked(found: list[Route]) -> Iterator[_Asked]:
    for route in found:
        for demand in route.all("password-file"):
            document = route.layer.open(demand.value) if route.layer else None
            if isinstance(document, Document) and route.hop in _SERVERS:
                yield _Asked(route, demand, document, _SERVERS[route.hop])


@rule
def password_file_missing(evidence: Evidence) -> Iterator[Finding]:
    """The password file that a directive names is not there, or cannot be opened: nobody can log in."""
    seen: set[str] = set()
    for route in routes(evidence):
        for demand in route.all("password-file", "digest-file"):
            found = route.layer.open(demand.value) if route.layer else None
            if not isinstance(found, Absence) or found.kind == "unseen" or demand.value in seen:
                continue
            seen.add(demand.value)
            state = "does not exist" if found.kind == "missing" else "cannot be opened"
            near = _near(route, found.name) if found.kind == "missing" else None
            fix = (
                f"Name the file that is there, {near}."
                if near
                else f"Create it: htpasswd -c {found.name} USER"
            )
            yield Finding(
                "password-file-absent",
                f"The password file {found.name} {state}, so {route.hop} lets nobody in here.",
                {"password-file-problem": NAMED, "wrong-password": AGAINST, "unknown-user": AGAINST},
                Where.of(demand.source),
                group="password-file",
                stack=route.hop,
                fix=fix,
                edits=_renamed(route, demand, near) if near else (),
            )


def _near(route: Route, name: str) -> str | None:
    """A password file beside the missing one, with nearly its name."""
    for other in route.layer.beside(name) if route.layer else ():
        file = parse(other.text)
        if file.entries and not file.problems:
            return other.name
    return None


def _renamed(route: Route, demand: Demand, near: str) -> tuple[Edit, ...]:
    document = document_of(route, demand.source.name)
    line = demand.source.line or 0
    if document is None or not 0 < line <= len(document.lines):
        return ()
    words = document.lines[line - 1].rstrip("\r\n")
    base = PurePosixPath(near).name
    written = demand.value[: -len(PurePosixPath(demand.value).name)] + base
    return (
        (Edit(document, line, line, (words.replace(demand.value, written, 1),)),)
        if demand.value in words
        else ()
    )


@rule
def password_file_hopeless(evidence: Evidence) -> Iterator[Finding]:
    """No line of the password file lets anybody in: empty, every hash damaged, or of a kind never checked here."""
    seen: set[str] = set()
    for asked in _asked(routes(evidence)):
        if asked.document.name in seen:
            continue
        seen.add(asked.document.name)
        problem = _hopeless(asked)
        if problem is not None:
            yield _problem(asked, problem)


def _hopeless(asked: _Asked) -> FileProblem | None:
    from why401.layers.password_servers import can_check

    file = asked.file
    if not file.entries:
        return FileProblem("empty", "The password file has no entry: nobody can log in.", 1)
    bad = {p.line: p for p in file.problems if p.kind in _HOPELESS}
    for entry in file.entries:
        if entry.line not in bad and not can_check(asked.server, entry.kind, None):
            says = f"{asked.route.hop} cannot check this kind of stored password ({entry.kind.value})."
            bad[entry.line] = FileProblem("unsupported", says, entry.line)
    lines = [entry.line for entry in file.entries]
    return bad[lines[0]] if all(line in bad for line in lines) else None


def _problem(asked: _Asked, problem: FileProblem, *, proves: bool = False) -> Finding:
    mangled = problem.kind in _MANGLED
    first = "mangled-in-config" if mangled else "password-file-problem"
    second = "password-file-problem" if mangled else "mangled-in-config"
    return Finding(
        f"password-file-{problem.kind}",
        problem.says,
        {
            first: PROVED if proves else NAMED,
            second: HINT,
            "wrong-password": AGAINST,
            "unknown-user": AGAINST,
        },
        asked.at(problem.line),
        group="password-file",
        stack=asked.route.hop,
        proves=first if proves else "",
        fix=_mends.get(
            problem.kind, "Write the entry anew with htpasswd, in a kind that this server checks."
        ),
        edits=_mended(asked, problem),
    )


_mends: Mapping[str, str] = {
    "doubled-dollar": "Write each $ once: nothing reads this file that would halve them.",
    "escaped-dollar": "Take the backslashes out: nothing reads this file that would.",
    "quoted": "Take the quotes off.",
    "whitespace": "Take the white space off.",
    "user-whitespace": "Take the white space off.",
    "bom": "Save the file as UTF-8 without a byte order mark.",
    "commented-out": "Take the # off the line of this user.",
    "empty": "Add the user: htpasswd FILE USER",
    "dollar-eaten": "Write the entry anew, with the hash in single quotes where a shell or Compose reads it.",
}


def _mended(asked: _Asked, problem: FileProblem) -> tuple[Edit, ...]:
    """The line without what was added to it, where that can be undone."""
    from why401.layers.password_kinds import recognise

    lines = asked.document.text.split("\n")
    if not problem.line or problem.line > len(lines):
        return ()
    text = lines[problem.line - 1].rstrip("\r")
    user, _, stored = text.partition(":")
    whole = recognise(stored).mended
    if problem.kind in ("doubled-dollar", "escaped-dollar", "whitespace") and whole is not None:
        new = f"{user}:{whole.reveal()}"
    elif problem.kind == "quoted":
        new = f"{user}:{whole.reveal()}" if whole is not None else text.strip().strip("\"'")
    elif problem.kind == "commented-out":
        new = text.lstrip("# \t")
    elif problem.kind in ("bom", "user-whitespace"):
        new = f"{user.removeprefix(chr(0xFEFF)).strip()}:{stored}"
    else:
        return ()
    return (Edit(asked.document, problem.line, problem.line, (new,)),)


@check
def password_verified(evidence: Evidence) -> Iterator[Finding]:
    """The request's user and password against the file, as the server itself would decide."""
    for one in walks(evidence):
        given = credentials(one.request)
        for asked in _asked(list(one.routes)):
            if given is not None:
                found = list(_verified(asked, *given))
                yield from found
                if found and found[0].id == "password-fits-file":
                    continue  # a layer behind may have a file of its own
            elif one.record is not None and one.record.user:
                yield from _user_alone(asked, one)
            else:
                continue
            return


def credentials(request: Request) -> tuple[str, str] | None:
    """The user and password of a Basic Authorization field, or None."""
    scheme, _, value = (request.fields.get("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    found = basic.decode(value.strip())
    return (found.user, found.password) if found.user is not None and found.password is not None else None


def _verified(asked: _Asked, user: str, password: str) -> Iterator[Finding]:
    from why401.layers.password_check import Outcome, verify

    file = asked.file
    found = lookup(file, user, asked.server)
    if isinstance(found, FileProblem):
        yield _no_entry(asked, found)
        return
    result = verify(user, password, file, asked.server)
    where = asked.at(result.line)
    if result.outcome is Outcome.ACCEPTED:
        weights = dict.fromkeys(("wrong-password", "unknown-user", "password-file-problem"), RULED_OUT)
        yield Finding("password-fits-file", result.says, weights, where, "password-verified", asked.route.hop)
    elif result.outcome is Outcome.WRONG_PASSWORD:
        yield _wrong(asked, result.says, where, result.variant)
    elif result.outcome in (Outcome.UNSUPPORTED, Outcome.DAMAGED):
        own = next(
            (p for p in file.problems if p.line == result.line and p.kind in _HOPELESS | {"whitespace"}), None
        )
        kind = own.kind if own else "unsupported"
        yield _problem(asked, FileProblem(kind, result.says, result.line), proves=True)


def _wrong(asked: _Asked, says: str, where: Where, variant: str | None) -> Finding:
    """The password differs, or it is the same one in another reading."""
    causes = {
        None: "wrong-password",
        "a line break after it": "password-file-problem",
        "no white space round it": "stray-whitespace",
        "no quotes round it": "mangled-in-config",
    }
    cause = causes.get(variant, "charset-mismatch")
    weights = {cause: PROVED, "unknown-user": RULED_OUT, "proxy-stripped-credentials": AGAINST}
    finding = Finding("password-differs", says, weights, where, "password-verified", asked.route.hop, cause)
    if variant == "a line break after it":
        return replace(
            finding, fix="Write the entry anew without the line break: printf, not echo, into htpasswd -i."
        )
    return finding


def _no_entry(asked: _Asked, problem: FileProblem) -> Finding:
    if problem.kind in ("unknown-user", "case"):
        return Finding(
            "user-not-in-file",
            problem.says,
            {"unknown-user": PROVED, "wrong-password": RULED_OUT},
            asked.at(problem.line) if problem.line else Where.of(asked.demand.source),
            group="password-verified",
            stack=asked.route.hop,
            proves="unknown-user",
        )
    return _problem(asked, problem, proves=True)


def _user_alone(asked: _Asked, one: Walk) -> Iterator[Finding]:
    """Only the user's name is known, by the log."""
    found = lookup(asked.file, one.record.user or "" if one.record else "", asked.server)
    if isinstance(found, FileProblem):
        finding = _no_entry(asked, found)
        yield replace(finding, proves="", weights={c: min(w, STRONG) for c, w in finding.weights.items()})
    else:
        weights = {"wrong-password": CLEAR, "unknown-user": AGAINST}
        says = "The file has this user, so the password is what did not fit."
        yield Finding("user-in-file", says, weights, asked.at(found[0]), "password-verified", asked.route.hop)
