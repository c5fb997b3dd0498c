"""Checks of `digest-mismatch`: what a Digest answer says, against the challenge and the request it is for.

RFC 7616 (2617, 2069). Where user and password are at hand the response is computed anew, which proves whether
the client computed with something else; where they are not, the parameters alone often tell.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from why401.checks import check
from why401.checks.credentials_offers import Sent, asked_anywhere, sent, troubled, where
from why401.evidence import Evidence
from why401.findings import AGAINST, FAINT, RULED_OUT, STRONG, Finding, Where
from why401.prefilter import lazy
from why401.protocol import digest

#: A difference from the challenge, and how much it says.
_DIFFERENCES: dict[str, tuple[float, dict[str, float]]] = {
    "realm": (20.0, {"wrong-password": FAINT}),
    "nonce": (11.0, {"session-unknown": FAINT, "clock-skew": 2.0}),
    "opaque": (15.0, {}),
    "algorithm": (20.0, {"wrong-algorithm": 6.0, "challenge-not-answered": FAINT}),
    "qop-not-offered": (21.0, {"software-bug": FAINT}),
    "qop": (18.0, {"software-bug": FAINT}),
    "qop-missing": (15.0, {"software-bug": FAINT}),
    "userhash": (14.0, {}),
    "uri": (20.0, {"software-bug": 2.0, "proxy-stripped-credentials": 2.0}),
}
_PROBLEMS: dict[str, float] = {
    "undefined-value": 23.0,
    "missing-with-qop": 22.0,
    "bad-nc": 15.0,
    "unknown-algorithm": 15.0,
    "missing-parameter": 17.0,
}


@dataclass(frozen=True)
class Answer:
    """A Digest answer that was refused, with the challenge it most likely answers."""

    sent: Sent
    credentials: digest.DigestCredentials
    challenge: Mapping[str, str]


def _answers(evidence: Evidence) -> Iterator[Answer]:
    asked = [c.params for c in asked_anywhere(evidence) if c.name == "digest"]
    for one in sent(evidence):
        if one.parsed.name != "digest" or not one.refused or one.redacted:
            continue
        credentials = digest.parse(one.parsed.params)
        same = [params for params in asked if params.get("nonce") == credentials.nonce]
        # The challenge that came before the answer is the first: the last one came after it.
        yield Answer(one, credentials, (same or asked or [{}])[0])


@check
def digest_parameters(evidence: Evidence) -> Iterator[Finding]:
    """Parameters that are missing, not of their form, or not those of the challenge."""
    for answer in _answers(evidence):
        clean = True
        for problem in answer.credentials.problems:
            weight = _PROBLEMS.get(problem.kind, 10.0)
            clean = False
            yield _finding(
                f"digest-{problem.kind}", problem.says, weight, {"software-bug": 5.0}, answer.sent.where
            )
        target = _target(answer.sent)
        for problem in (
            digest.mismatches(answer.challenge, answer.credentials, target) if answer.challenge else ()
        ):
            weight, others = _DIFFERENCES.get(problem.kind, (10.0, {}))
            clean = False
            yield _finding(f"digest-{problem.kind}", problem.says, weight, others, answer.sent.where)
        if clean and answer.challenge:
            says = "The Digest answer fits its challenge in form and was refused: user, password or realm differ."
            weights = {"wrong-password": 9.0, "unknown-user": FAINT, "digest-mismatch": 6.0}
            yield Finding("digest-in-form", says, {**weights, "no-credentials": RULED_OUT}, answer.sent.where)
        return


def _target(one: Sent) -> str:
    """The request target that the uri parameter must repeat, where the evidence shows it."""
    if one.exchange is None or not one.exchange.request.url:
        return ""
    parts = one.exchange.request.split
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _finding(id: str, says: str, weight: float, others: Mapping[str, float], where: Where) -> Finding:
    return Finding(
        id, says, {"digest-mismatch": weight, **others, "no-credentials": AGAINST}, where, group="digest"
    )


_READINGS: tuple[tuple[str, str], ...] = (
    ("the password as", "charset-mismatch"),
    ("line break", "stray-whitespace"),
    ("white space", "stray-whitespace"),
    ("an empty password", "placeholder-credential"),
)


@check
def digest_recomputed(evidence: Evidence) -> Iterator[Finding]:
    """The response computed anew with the user and password at hand: a proof, not an opinion."""
    known = [
        o for o in evidence.offers if o.user and o.value is not None and o.place in ("userinfo", "field")
    ]
    known = [o for o in known if o.provenance != "request" or o.place == "userinfo"]
    for answer in _answers(evidence):
        for offer in known:
            exchange = answer.sent.exchange
            method = (exchange.request.method if exchange else None) or "GET"
            password = offer.value.reveal() if offer.value is not None else ""
            done = digest.verify(
                answer.challenge,
                answer.credentials,
                method=method,
                user=offer.user or "",
                password=password,
                candidate_uris=[target for target in (_target(answer.sent),) if target],
            )
            if done.matches and not done.variant:
                weights = {"wrong-password": -4.0, "digest-mismatch": -4.0, "unknown-user": 3.0}
                yield Finding("digest-right", done.says, weights, answer.sent.where, group="digest-proof")
            elif done.matches:
                cause = next(
                    (c for words, c in _READINGS if any(words in v for v in done.variant)), "digest-mismatch"
                )
                yield Finding(
                    "digest-variant",
                    done.says,
                    {cause: 30.0},
                    answer.sent.where,
                    group="digest-proof",
                    proves=cause,
                )
            return


@check
def stale_not_renewed(evidence: Evidence) -> Iterator[Finding]:
    """stale=true says that only the nonce is old; a client that gives up, or comes with it again, is at fault."""
    stale = [c for c in asked_anywhere(evidence) if c.params.get("stale", "").lower() == "true"]
    if not stale:
        return
    last = evidence.exchanges[-1] if evidence.exchanges else None
    given_up = last is None or last.refused
    says = (
        "The challenge says stale=true: user and password are right, and the client did not renew its nonce."
    )
    weights = {"digest-mismatch": STRONG if given_up else FAINT, "wrong-password": -10.0}
    yield Finding("stale", says, weights, Where.at(last) if last else Where(), group="digest")


_DIGEST_WORDS = (
    r"\bqop\b",
    r"\bc?nonce\b",
    r"\bnc\b",
    r"sha-?256",
    r"md5(?:-sess)?\b",
    r"\balgorithm\b",
    r"\bopaque\b",
    r"auth-int\b",
)


@check
def digest_in_words(evidence: Evidence) -> Iterator[Finding]:
    """Words of the Digest scheme in a report about a refusal."""
    if not troubled(evidence):
        return
    talked = evidence.prose
    named = [word for word in _DIGEST_WORDS if re.search(word, talked, re.I)]
    found = where(evidence, r"\bdigest\b|htdigest|DigestAuth|AuthType\s+Digest|challenge|\bqop\b|auth-int")
    if found is None:
        return
    if len(named) >= 2:
        says = "Parameters of Digest are named in the report."
        yield Finding("digest-words", says, {"digest-mismatch": 15.0}, found[1], group="digest-words")
    elif re.search(r"(?i)digest|auth-int|qop", found[0].group()):
        says = "Digest is in use."
        yield Finding("digest-named", says, {"digest-mismatch": 6.0}, found[1], group="digest-words")


_ANY_DIGEST = lazy(r"\bDigest ((?:[\w-]+=(?:\"[^\"\n]{0,300}\"|[^\s,\"]{1,200}),?[ \t]{0,4}){1,14})", re.I)


@check
def digest_lines(evidence: Evidence) -> Iterator[Finding]:
    """Answers and challenges as logs write them, in their order: one that is answered for another realm."""
    for text in evidence.texts:
        seen = [
            (match.start(), dict(re.findall(r"([\w-]+)=\"?([^\",]*)", match[1].lower())))
            for match in _ANY_DIGEST.finditer(text.content[:200_000])
        ]
        answered = next((at for at, params in seen if "username" in params), None)
        if answered is not None and not any("stale" in params for _, params in seen):
            says = "The log shows a Digest answer: the client does answer challenges."
            at = Where.of(text.source.at(text.line_at(answered)))
            weights = {"challenge-not-answered": -12.0, "missing-challenge": -12.0, "no-credentials": AGAINST}
            yield Finding("digest-answered", says, weights, at)
        for (start, one), (_, after) in itertools.pairwise(seen):
            refused = "username" in one and "username" not in after
            if refused and one.get("realm") and after.get("realm") and one["realm"] != after["realm"]:
                says = "A Digest answer for one realm went to a place that asks for another: it was kept too widely."
                at = Where.of(text.source.at(text.line_at(start)))
                yield _finding("digest-other-realm", says, 20.0, {"software-bug": 14.0}, at)
                return
