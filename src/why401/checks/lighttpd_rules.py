"""What only lighttpd gets wrong: users that `require` does not name, prefixes, and methods a backend cannot check."""

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check, rule
from why401.checks.layers_changes import document_of
from why401.checks.layers_passwords import credentials
from why401.evidence import Demand, Evidence
from why401.findings import CLEAR, NAMED, Finding, Where
from why401.layers import Document
from why401.layers.lighttpd import HOP, Lighttpd
from why401.layers.model import Edit, Route
from why401.path import routes, walks
from why401.protocol import credentials as fields


@check
def user_not_required(evidence: Evidence) -> Iterator[Finding]:
    """`require` names users, and the one who asks is not among them; lighttpd answers 401 as to a wrong password."""
    for one in walks(evidence):
        user = _user(one.request.fields.get("authorization") or "", credentials(one.request))
        for route in one.routes:
            demand = route.demand("user") if route.hop == HOP else None
            if demand is None or not user or not demand.value.startswith("user "):
                continue
            if user in demand.value.split()[1:]:
                continue
            yield Finding(
                "lighttpd-user-not-required",
                "lighttpd lets in only the users whom `require` names here, and the one who asks is not among them: it "
                "answers 401 though the password is right.",
                {"not-permitted": NAMED + 6, "wrong-password": -8.0, "unknown-user": -8.0},
                Where.of(demand.source),
                "user-listed",
                HOP,
                fix="Name the user in `require`, or say valid-user.",
                edits=_added(route, demand, user),
            )
            return


def _user(value: str, pair: tuple[str, str] | None) -> str:
    if pair is not None:
        return pair[0]
    found = fields.parse(value)
    return found.params.get("username", "") if (found.scheme or "").lower() == "digest" else ""


def _added(route: Route, demand: Demand, user: str) -> tuple[Edit, ...]:
    document, line = document_of(route, demand.source.name), demand.source.line
    names = demand.value.split()[1:]
    if document is None or not line or not user.isalnum():
        return ()
    text = document.lines[line - 1].rstrip("\r\n")
    last = f"user={names[-1]}"
    return (
        (Edit(document, line, line, (text.replace(last, f"{last}|user={user}", 1),)),) if last in text else ()
    )


@check
def prefix_too_wide(evidence: Evidence) -> Iterator[Finding]:
    """Keys of `auth.require` are prefixes of text, not folders: "/private" covers /private-notes."""
    for one in walks(evidence):
        for route in one.routes:
            prefix = route.name.partition('"')[2].rstrip('"') if route.hop == HOP else ""
            rest = one.request.path[len(prefix) :]
            scheme = route.demand("scheme")
            if len(prefix) < 2 or prefix.endswith("/") or rest[:1] in ("", "/", "?") or scheme is None:
                continue
            document = document_of(route, scheme.source.name)
            line = _above(document, scheme.source.line or 1, f'"{prefix}"')
            text = document.lines[line - 1].rstrip("\r\n") if document else ""
            edit = text.replace(f'"{prefix}"', f'"{prefix}/"', 1)
            yield Finding(
                "lighttpd-prefix-too-wide",
                f'auth.require takes "{prefix}" as the beginning of the path, so it covers {one.request.path} too.',
                {"auth-rule-unintended": CLEAR + 2},
                Where(scheme.source.name, line),
                "demanded-scheme",
                HOP,
                fix=f'Write "{prefix}/" to protect only what is below that folder.',
                edits=(Edit(document, line, line, (edit,)),) if document and edit != text else (),
                opens=one.request.path,
            )
            return


def _above(document: Document | None, line: int, written: str) -> int:
    """The line that holds what is written, at `line` or the nearest above it."""
    lines = document.lines[:line] if document else ()
    return next((number for number in range(len(lines), 0, -1) if written in lines[number - 1]), line)


@rule
def digest_without_backend(evidence: Evidence) -> Iterator[Finding]:
    """The method is digest, and the backend has only hashes of passwords: lighttpd answers 500 (mod_authn_file.c)."""
    for route in routes(evidence):
        scheme, file = route.demand("scheme"), route.demand("password-file")
        if isinstance(route.layer, Lighttpd) and scheme and scheme.value == "Digest" and file:
            document, line = document_of(route, scheme.source.name), scheme.source.line or 1
            text = document.lines[line - 1].rstrip("\r\n") if document else ""
            yield Finding(
                "lighttpd-digest-without-backend",
                "The method is digest, and the backend htpasswd can check Basic alone: every request fails.",
                {"auth-setting-wrong": CLEAR, "password-file-problem": CLEAR},
                Where.of(scheme.source),
                "password-file",
                HOP,
                fix="Use the method basic (over TLS), or the backend htdigest with a file that htdigest writes.",
                edits=(Edit(document, line, line, (text.replace('"digest"', '"basic"', 1),)),)
                if document and '"digest"' in text
                else (),
            )
            return
