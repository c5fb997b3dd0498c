"""Reader of the files in which clients keep credentials and that are no lists of settings: netrc, git, sbt, gradle.

.npmrc, .pypirc, docker's config.json, Maven's settings.xml and the AWS files are settings, and are read as such
(`config_offers`); here is what needs a grammar of its own. The host that a credential is for is in the offer's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.evidence import Evidence, Offer, Source
from why401.prefilter import Lazy, lazy
from why401.secret import Secret

#: (what file it is, pattern with user, password and perhaps host)
_SHAPES: tuple[tuple[str, Lazy], ...] = (
    (
        ".netrc",
        lazy(
            r"(?:^|\s)(?:machine\s+(?P<host>\S+)|default)\s+(?:login\s+(?P<user>\S+)\s+)?(?:account\s+\S+\s+)?password\s+(?P<password>\S+)"
        ),
    ),
    (".git-credentials", lazy(r"(?m)^https?://(?P<user>[^:@\s/]+):(?P<password>[^@\s/]+)@(?P<host>[\w.:-]+)/?$")),
    (
        "sbt credentials",
        lazy(
            r'Credentials\(\s*"(?P<realm>[^"]*)"\s*,\s*"(?P<host>[^"]*)"\s*,\s*"?(?P<user>[^",]*)"?\s*,\s*"?(?P<password>[^",)]*)"?\s*\)'
        ),
    ),
    (
        "sbt credentials file",
        lazy(r"(?m)^realm\s*=\s*(?P<realm>.*)\nhost\s*=\s*(?P<host>.*)\nuser\s*=\s*(?P<user>.*)\npassword\s*=\s*(?P<password>.*)$"),
    ),
    (
        "gradle credentials",
        lazy(
            r"credentials\s*(?:\([^)]*\))?\s*\{\s*(?:username\s*=?\s*(?P<user>[^\n;]+))[\n;]\s*(?:password\s*=?\s*(?P<password>[^\n;}]+))"
        ),
    ),
    (
        "gradle task",
        lazy(r"(?m)^\s*username\s+(?P<user>[^\s=][^\n]*)\n\s*password\s+(?P<password>[^\s=][^\n]*)$"),
    ),
    (
        "kubeconfig",
        lazy(r"(?m)^\s*(?:-\s+)?user:\s*\n\s+token:\s*(?P<password>\S+)(?P<user>)"),
    ),
)  # fmt: skip
_CUE = lazy(
    r"(?:machine|default)\s+\S*\s*(?:login|password)|machine\s+\S+\s*$|https?://[^\s/:@]+:[^\s@/]+@|Credentials\(|credentials\s*[({]"
    r"|^realm\s*=|username\s+\S|user:\s*\n\s+token:",
    re.M,
)


def sniff(name: str, text: str) -> bool:
    """Whether a credential may stand in one of the shapes."""
    del name  # the text alone tells
    return bool(_CUE.search(text[:300_000]))


def read(text: str, source: Source) -> Evidence:
    """The credentials that the file keeps, as offers."""
    return Evidence(offers=tuple(_offers(text[:300_000], source)))


def _offers(text: str, source: Source) -> Iterator[Offer]:
    for what, shape in _SHAPES:
        for match in shape.finditer(text):
            where = source.at((source.line or 1) + text.count("\n", 0, match.start("password")))
            password = match["password"].strip().strip("\"'")
            user = (match["user"] or "").strip().strip("\"'") or None
            scheme = "Bearer" if what == "kubeconfig" else "Basic"
            yield Offer("field", "Authorization", scheme, Secret(password), where, provenance=what, user=user)
