"""Checks of the family `platform`: the software itself, its extensions, versions and records.

What tells these causes from all others is a contrast: another program or version does the same with the same
credentials, or the same program did so before something else was changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from why401.checks import check, platform_versions
from why401.evidence import Contrast, Evidence, Exchange
from why401.findings import AGAINST, CLEAR, FAINT, HINT, STRONG, Finding, Where
from why401.prefilter import lazy

__all__ = ["platform_versions"]

_CONFIGURED: Final = lazy(
    r"(?im)^\s*(?:-\s*)?[\"']?(?:username|user|login|password|auth|token|api[_-]?key)[\"']?\s*[:=]\s*[\"']?[^\s\"'#]{2,}"
    r"|^machine\s+\S+.*\bpassword\s+\S+"
)
_NOT_CONFIGURED: Final = lazy(r"(?i)your_|changeme|placeholder|<[^>]+>|\$\{|undefined")


def _bare(exchange: Exchange) -> bool:
    """A refused request whose fields are all known, and none of them is a credential."""
    fields = exchange.request.fields
    return (
        exchange.status == 401
        and exchange.request.complete
        and len(fields) > 1
        and not any(re.search(r"(?i)authorization|cookie|token|api-?key", field.name) for field in fields)
    )


def _accepted(evidence: Evidence) -> bool:
    """Another program was accepted with credentials: in an exchange, or in words."""
    if any("authorization" in x.request.fields for x in evidence.succeeded):
        return True
    return bool(
        evidence.search(r"curl[^\n]*(?:-u|--user|-H)[^\n]*\n(?:[^\n]*\n){0,3}?\s*(?:HTTP/\S+ )?200\b")
        or evidence.search(
            r"(?:curl|postman|browser|other (?:clients?|tools?))[^\n.]{0,40}(?:works|succeeds|fine|200)"
        )
    )


@check
def configured_but_not_sent(evidence: Evidence) -> Iterator[Finding]:
    """The program was given credentials, the wire shows none, and another program gets in with them."""
    bare = next((x for x in evidence.refused if _bare(x)), None)
    given = next(
        (
            t
            for t in evidence.texts
            if t.kind in ("settings", "message", "terminal") and _CONFIGURED.search(t.content)
        ),
        None,
    )
    if bare is None or given is None or _NOT_CONFIGURED.search(given.content):
        return
    accepted = _accepted(evidence)
    yield Finding(
        "configured-but-not-sent",
        "The program's settings hold credentials and its request carries none"
        + (", while another program gets in with the same ones." if accepted else "."),
        {
            "software-bug": STRONG if accepted else CLEAR,
            "client-config-not-loaded": CLEAR,
            "challenge-not-answered": HINT,
            "no-credentials": AGAINST,
            "wrong-password": AGAINST,
        },
        Where.at(bare),
        group="configured-not-sent",
    )


#: What a contrast in time or product says: words of the change, and what it speaks for.
_CHANGES: Final = (
    (r"(?i)plugin|extension|module|add-?on|theme|deactivat", {"extension-conflict": STRONG}, "an extension"),
    (
        r"(?i)\bdatabase|\bdb\b|restor|import|dump|backup|migrat|clone|moved",
        {"database-changed": CLEAR, "secret-rotated": FAINT},
        "the database or its copy",
    ),
    (
        r"(?i)upgrad|updat|version|release|downgrad",
        {"upgrade-regression": CLEAR, "software-bug": FAINT},
        "an upgrade",
    ),
)


def _words(contrast: Contrast) -> str:
    return " ".join((contrast.works, contrast.fails, contrast.says))


@check
def change_named(evidence: Evidence) -> Iterator[Finding]:
    """The people say what was changed between the time it worked and the time it did not."""
    for contrast in evidence.contrasts:
        if contrast.axis not in ("change", "version"):
            continue
        for pattern, weights, what in _CHANGES:
            # A version is an upgrade whatever it is an upgrade of: only a change may be of something else.
            if contrast.axis == "version" and what != "an upgrade":
                continue
            if re.search(pattern, _words(contrast)):
                yield Finding(
                    "change-named",
                    f"What lies between working and failing is {what}.",
                    weights,
                    Where.of(contrast.source),
                    group={"an upgrade": "up", "an extension": "ext-words"}.get(what, "db"),
                )
                break


_PLUGIN_PATH: Final = lazy(r"/(?:wp-content/(?:mu-)?plugins|modules/contrib|plugins)/(?P<name>[\w-]+)/")
_AUTH_CALL: Final = lazy(r"(?i)auth|rest_|login|jwt|determine_current_user|permission|token|nonce")


@check
def refused_inside_extension(evidence: Evidence) -> Iterator[Finding]:
    """A trace or log line of the refusal passes through an extension's own folder."""
    for text in evidence.texts:
        for match in _PLUGIN_PATH.finditer(text.content):
            line = text.content[text.content.rfind("\n", 0, match.start()) + 1 :].split("\n", 1)[0]
            if not _AUTH_CALL.search(line.replace(match.group(), "")):
                continue
            yield Finding(
                "refused-inside-extension",
                f"The code that decides stands in the extension {match['name']}.",
                {"extension-conflict": CLEAR},
                Where.of(text.source.at(text.line_at(match.start()))),
                group="ext-trace",
            )
            return


@check
def challenge_on_the_wrong_answer(evidence: Evidence) -> Iterator[Finding]:
    """The challenge comes with answers that succeed and is missing from the 401 (RFC 9110, section 11.6.1)."""
    asked = next(
        (x for x in evidence.succeeded if x.response and "www-authenticate" in x.response.fields), None
    )
    for exchange in evidence.refused:
        response = exchange.response
        if asked is None or response is None or not response.complete or exchange.status != 401:
            continue
        if "www-authenticate" not in response.fields and asked.request.host == exchange.request.host:
            yield Finding(
                "challenge-on-the-wrong-answer",
                "The server sends its challenge with the answers that succeed, and none with the 401.",
                {"software-bug": STRONG + HINT, "missing-challenge": CLEAR, "wrong-server-answered": AGAINST},
                Where.at(exchange, "WWW-Authenticate"),
                group="challenge-misplaced",
            )
            return
