"""Password files: `user:hash` lines as htpasswd writes them, `user:realm:HA1` lines as htdigest does.

`parse` reads a file without regard to the server; `lookup` finds the line that a given server would use and
the stored password as that server reads it. How each reads is in `password_servers.SERVERS`; whether a password
fits is asked of `password_check.verify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from why401.layers.file_problems import FileProblem
from why401.layers.password_kinds import Kind, recognise
from why401.layers.password_servers import SERVERS, Server
from why401.prefilter import lazy
from why401.secret import Secret

BOM = "\ufeff"
_SPACE = " \t\r\v\f"
_HA1 = lazy(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One user of an htpasswd file. `stored` is all after the first colon; `line` counts from 1."""

    user: str
    stored: Secret
    kind: Kind
    line: int


@dataclass(frozen=True, slots=True)
class PasswordFile:
    """An htpasswd file. `lines` are (number, text) without their line ends, secret as a whole."""

    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...]
    lines: tuple[tuple[int, Secret], ...]

    def has(self, kind: str) -> bool:
        return any(problem.kind == kind for problem in self.problems)


def parse(text: str) -> PasswordFile:
    """Read an htpasswd file. Never raises: what cannot be read is a problem with its line."""
    lines = tuple((number, Secret(line)) for number, line in _lines(text))
    entries: list[Entry] = []
    problems = list(_of_file(text))
    for number, secret in lines:
        line = secret.reveal()
        if line.lstrip(_SPACE)[:1] in ("", "#"):
            continue
        user, colon, stored = line.partition(":")
        if not colon:
            says = (
                "The line has no colon between a user and a hash; Traefik and the registry refuse the file."
            )
            problems.append(FileProblem("no-colon", says, number))
            continue
        stored = stored.rstrip("\r")
        entry = Entry(user.removeprefix(BOM), Secret(stored), recognise(_value(stored)).kind, number)
        problems += _of_entry(entry, stored)
        entries.append(entry)
    if not entries:
        problems.append(FileProblem("empty", "The file has no entry: nobody can log in."))
    problems += _duplicates([(entry.user, entry.line) for entry in entries])
    return PasswordFile(tuple(entries), tuple(problems), lines)


def lookup(file: PasswordFile, user: str, server: str) -> tuple[int, Secret] | FileProblem:
    """The line of a user and the stored password as this server reads it, or why there is none."""
    row = SERVERS[server]
    found: tuple[int, Secret] | None = None
    eaten = 0
    for number, secret in file.lines:
        line = _as_read(secret.reveal(), row)
        if line is None or number == eaten:
            continue
        name, colon, stored = line.partition(":")
        if refused := _refused(row, number, not colon, ":" in stored, found is not None and name == user):
            return refused
        if row.bad_line == "eats-next" and f"{user}:".startswith(secret.reveal()):
            eaten = number + 1
        if name == user and (colon or row.bad_line == "counts"):
            found = number, Secret(stored.partition(":")[0] if row.cuts_at_colon else stored)
            if row.duplicates == "first":
                return found
    return found or _missing(file, user)


def _refused(row: Server, number: int, bare: bool, more: bool, again: bool) -> FileProblem | None:
    """Why a server takes nothing of a file because of this line."""
    for wrong, why in (
        (bare and row.bad_line == "refused", "has no colon"),
        (more and row.one_colon, "has more than one colon"),
        (again and row.duplicates == "refused", "has a user for the second time"),
    ):
        if wrong:
            return FileProblem("refused", f"Line {number} {why}: {row.says} refuses the whole file.", number)
    return None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """All servers part lines at LF alone."""
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line)


def _as_read(line: str, row: Server) -> str | None:
    """A line as a server takes it, or None where it passes over it."""
    if row.indented == "skipped" and line[:1] in (" ", "\t"):
        return None
    if row.trims:
        line = line.strip(_SPACE)
    elif row.cuts_at_colon:  # these end a password at CR as at LF
        line = line.partition("\r")[0]
    else:
        line = line.removesuffix("\r")
    return None if line[:1] in ("", "#") else line


def _value(stored: str) -> str:
    """What stands before a second colon, which opens a comment (nginx, Apache)."""
    return stored if recognise(stored).kind is Kind.MARKED else stored.partition(":")[0]


def _missing(file: PasswordFile, user: str) -> FileProblem:
    """Why a user is not found, where a line nearly has it."""
    if not file.entries:
        return FileProblem("empty", "The password file has no entry.")
    for number, secret in file.lines:
        name, colon, _ = secret.reveal().partition(":")
        if name == user and not colon:
            return FileProblem("no-colon", "The line of this user has no colon and no hash.", number)
        for kind, same, says in (
            ("bom", name.removeprefix(BOM), "a byte order mark (BOM), which counts as part of the name"),
            ("commented-out", name.lstrip("# \t") if name.lstrip()[:1] == "#" else "", "a # before it"),
            ("whitespace", name.strip(), "white space before or after it, which counts"),
            ("quoted", name.strip("\"'"), "a quote before it, which counts"),
            ("list-mark", name.removeprefix("- ").strip("\"' "), "the mark of a YAML list before it"),
        ):
            if name != user and same == user:
                return FileProblem(kind, f"The file has this user only with {says}.", number)
        if name != user and name.casefold() == user.casefold():
            says = "The file has this user in other case; user names are compared exactly."
            return FileProblem("case", says, number)
    return FileProblem("unknown-user", "The password file does not have this user.")


def _of_file(text: str) -> Iterator[FileProblem]:
    if text.startswith(BOM):
        says = (
            "The file begins with a byte order mark (BOM): servers take it for part of the first user's name."
        )
        yield FileProblem("bom", says, 1)
    if "\0" in text:
        yield FileProblem("not-text", "The file has NUL bytes: it is not plain text (or is UTF-16).")
    crlf = next((number for number, line in _lines(text) if line.endswith("\r")), None)
    if "\r" in text.rstrip("\r") and "\n" not in text:
        yield FileProblem("cr-only", "Lines end with CR alone: servers see one line and so one user.", 1)
    elif crlf is not None:
        says = "Lines end with CR LF; the servers of today drop the CR, lighttpd before 1.4.60 refuses the password."
        yield FileProblem("crlf", says, crlf)


def _of_entry(entry: Entry, stored: str) -> Iterator[FileProblem]:
    found, user = recognise(_value(stored)), entry.user
    if found.damage:
        yield FileProblem(found.damage, found.says, entry.line)
    elif found.kind is Kind.PLAIN:
        says = "What stands after the colon is no hash, but as it seems the password itself."
        yield FileProblem("plain", says, entry.line)
    if user[:1] in ("'", '"') and stored.rstrip()[-1:] == user[:1]:
        yield FileProblem("quoted", "Quotes stand round the line, and are part of it.", entry.line)
    elif not user.strip():
        yield FileProblem("no-user", "The line has no user before the colon.", entry.line)
    elif any(c.isspace() for c in user):
        says = "White space stands in or round the user's name, where it counts."
        yield FileProblem("user-whitespace", says, entry.line)


def _duplicates(names: list[tuple[str, int]]) -> Iterator[FileProblem]:
    seen: dict[str, int] = {}
    for name, line in names:
        if name in seen:
            says = (
                f"The user of this line stands in line {seen[name]} already: nginx, Apache and lighttpd use the "
                "first, Traefik, the registry and Squid the last."
            )
            yield FileProblem("duplicate", says, line)
        seen.setdefault(name, line)


# -------------------------------------------------------------------------------------------- htdigest


@dataclass(frozen=True, slots=True)
class DigestEntry:
    """One line of an htdigest file: HA1 is H(user:realm:password) (RFC 7616, section 3.4.2)."""

    user: str
    realm: str
    ha1: Secret
    line: int


@dataclass(frozen=True, slots=True)
class DigestFile:
    """An htdigest file."""

    entries: tuple[DigestEntry, ...]
    problems: tuple[FileProblem, ...]


def parse_digest(text: str) -> DigestFile:
    """Read an htdigest file (`user:realm:HA1`). Never raises."""
    entries: list[DigestEntry] = []
    problems = list(_of_file(text))
    for number, line in _lines(text.removeprefix(BOM)):
        if line.strip(_SPACE)[:1] in ("", "#"):
            continue
        parts = line.rstrip(_SPACE).split(":")
        if len(parts) < 3:
            says = "The line is not user:realm:hash, as htdigest writes it (htpasswd writes two parts)."
            problems.append(FileProblem("not-htdigest", says, number))
            continue
        if not _HA1.fullmatch(parts[2]):
            problems.append(FileProblem("damaged", "The hash is not 32 (or 64) hexadecimal digits.", number))
        entries.append(DigestEntry(parts[0], parts[1], Secret(parts[2]), number))
    if not entries:
        problems.append(FileProblem("empty", "The file has no entry: nobody can log in."))
    problems += _duplicates([(f"{entry.user}:{entry.realm}", entry.line) for entry in entries])
    return DigestFile(tuple(entries), tuple(problems))
