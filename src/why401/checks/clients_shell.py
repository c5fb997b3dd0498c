"""Checks of commands and addresses: what the shell or the URL makes of a password's special characters.

RFC 3986, section 3.2.1: in userinfo `@ : / ? # [ ] %` must be percent-encoded; in a query `+ & #` too. A POSIX
shell expands `$` and backquotes within double quotes, and an interactive bash `!`; single quotes keep all.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.credentials_offers import LOOKED_AT, every, troubled, where
from why401.evidence import Evidence
from why401.findings import Finding, Where
from why401.prefilter import lazy

# What stands in a secret's argument of a command: the option, then the argument with its quotes.
_ARGUMENT = lazy(
    r"(?:(?<=\s)(?:-u|-U|-p|--user|--username|--password|--proxy-user|--http-user|--http-password|--docker-username|--docker-password|--creds|--dest-creds|--src-creds|--from-literal)(?:[ =]|(?=[\"'\w]))"
    r"|(?<=\s)-(?:u|p)(?=[\w\"'])|(?<=://)|(?<=\s)[A-Za-z_]*(?:PASSWORD|PASS|USER|USERNAME|TOKEN|SECRET)=|(?:-H|--header)[ =]?)"
    r"(\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s\"']+)"
)
_EXPANDS = lazy(r"(?<![\\$])\$(?=[A-Za-z_0-9{<$(])|(?<!\\)`")
_WHOLE_VARIABLE = lazy(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?")
_MID_WORD = lazy(r"[A-Za-z0-9!@#%^&*)=+.]\$(?:[A-Za-z0-9_<{$])")
_COMMAND = lazy(
    r"\b(?:curl|wget|docker|podman|skopeo|helm|git|http|https|pip|npm|oc|kubectl|crane|oras|mvn|twine|az|aws|gcloud|ansible|nerdctl|buildah)\b"
)


@check
def shell_expansion(evidence: Evidence) -> Iterator[Finding]:
    """`robot$ci`, `pa$$word`, `"secret!1"`: the shell changes the word before the command sees it."""
    for text in evidence.texts:
        if text.kind == "settings" and text.language not in (None, "dockerfile"):
            continue
        if text.kind == "code" and text.language not in (None, "shell", "powershell"):
            continue  # `${name}` is the language's own there
        for match in _ARGUMENT.finditer(text.content, 0, LOOKED_AT):
            start = text.content.rfind("\n", 0, match.start()) + 1
            line = text.content[start : text.content.find("\n", match.start())]
            word = match.group(1)
            if text.kind == "code" and "`http" in line:
                continue  # a template literal of JavaScript, no command
            if word.startswith("'") or not _COMMAND.search(line):
                continue
            at = Where.of(text.source.at(text.line_at(match.start())))
            if _MID_WORD.search(word) and "$(" not in word and not _whole(word):
                says = "A $ in the middle of a word, not in single quotes: the shell puts a variable (or nothing) in its place."
                weights = {"unescaped-userinfo": 20.0, "wrong-password": -3.0, "unknown-user": 2.0}
                yield Finding("shell-expands-dollar", says, weights, at, group="shell")
            elif word.startswith('"') and re.search(r"![\w@#$%^&*\"']", word[1:-1] + " "):
                says = (
                    "An exclamation mark in double quotes: an interactive bash or zsh takes it for history."
                )
                yield Finding("shell-expands-bang", says, {"unescaped-userinfo": 14.0}, at, group="shell")
            elif (
                not word.startswith('"')
                and re.search(r":[^\s/]*[&;()|<>](?!/)", word)
                and not re.search(r"<\w[\w -]*>|https?:", word)
            ):
                says = "A character that ends or pipes a command stands unquoted in the password."
                yield Finding("shell-splits-word", says, {"unescaped-userinfo": 14.0}, at, group="shell")


def _whole(word: str) -> bool:
    """Is each `$` of the word a variable that stands for a whole part (`$USER:$PASS`, `https://$HOST/x`)?"""
    inner = word.strip("\"'")
    if re.search(r"[A-Za-z0-9!#%^&*+_.]\$(?:[A-Za-z_]|\d)(?=[^A-Za-z0-9_}]|$)", inner):
        return False  # $P, $1: a name so short is part of the password
    rest = re.sub(r"\$\{?[A-Z_][A-Z0-9_]*\}?", "", inner)
    return "$" not in rest and not re.search(r"(?:^|[:@])[A-Za-z0-9!#%^&*+.]*[a-z0-9!#%^&*]\$", inner)


_USERINFO = lazy(r"\b([a-z][a-z0-9+.-]*)://([^\s\"'<>`]+)", re.I)


@check
def userinfo(evidence: Evidence) -> Iterator[Finding]:
    """A URL whose `user:password@` holds a character that parts a URL."""
    for text in evidence.texts:
        for match in _USERINFO.finditer(text.content, 0, LOOKED_AT):
            fault = _fault_of_userinfo(match.group(2))
            if fault:
                weights = {"unescaped-userinfo": 20.0, "wrong-password": -3.0, "wrong-url": 2.0}
                says = f"In the URL's user:password@ stands {fault}, which must be percent-encoded."
                at = Where.of(text.source.at(text.line_at(match.start())))
                yield Finding("userinfo-unescaped", says, weights, at, group="userinfo")
                return


def _fault_of_userinfo(rest: str) -> str | None:
    """The character at fault in what follows `//`, or None. A path may hold `@` and `:` (npm scopes)."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if authority.count("@") > 1:
        return "a second @"
    if "@" in authority:
        inner = authority.rpartition("@")[0]
        if "$" in inner or "{" in inner or "*" in inner:
            return None
        if re.search(r"%(?![0-9A-Fa-f]{2})", inner):
            return "a bare %"
        return "a bracket, caret or blank" if re.search(r"[\[\]^\\| ]", inner) else None
    # No @ in the authority, but user:pa then a separator, and an @host after it: the password held it.
    late = re.match(
        r"([^/?#:@]+):([^/?#@]*)([/?#])([^\s@]{0,60})@([\w-]+\.[\w.-]+|localhost|\d+\.\d+\.\d+\.\d+)(?=[:/]|$)",
        rest,
    )
    if late and not (late.group(2).isdigit() and late.group(3) == "/"):
        return {"/": "a slash", "?": "a question mark", "#": "a number sign (#)"}[late.group(3)]
    return None


_BUILT = r"://[\"'`]?\s*(?:\+|\.|\$?\{+\s*)\s*[\w.$]*(?:user|login|email|username|token)[\w.()]*\s*\}*[\"'`]?\s*[+.]?\s*[\"'`]?:"
_ENCODES = r"quote(?:_plus)?\(|encodeURIComponent|urlencode|rawurlencode|URLEncoder|EscapeDataString|url\.UserPassword|QueryEscape|CGI\.escape|ERB::Util|percentEncod|urlencode\b"
_SPECIAL = r"special (?:char|symbol)|(?:password|token|secret|key)[^.\n]{0,60}(?:contain|ha[sd]|with|includ|start|end|begin)[^.\n]{0,40}(?:[\"'`( ]([@:/?#%+&$!=;^*\\])(?:[\"'`) ,.]|$)|dollar|ampersand|plus sign|percent|hash|slash|exclamation|at sign)|characters? (?:like|such as) [\"'`]?[@:/?#%+&$!]"


@check
def built_url(evidence: Evidence) -> Iterator[Finding]:
    """Code that pastes a user and a password into a URL without encoding them."""
    found = where(evidence, _BUILT)
    if found and troubled(evidence) and not where(evidence, _ENCODES):
        special = where(evidence, _SPECIAL)
        weights = {"unescaped-userinfo": 15.0 if special else 6.0}
        says = "The user and password are pasted into a URL without being percent-encoded."
        yield Finding("userinfo-built", says, weights, found[1], group="userinfo")


@check
def special_characters(evidence: Evidence) -> Iterator[Finding]:
    """The reporter names special characters in the password; a simpler one works."""
    found = where(evidence, _SPECIAL)
    simpler = where(
        evidence,
        r"(?:simple|simpler|alphanumeric|plain|only letters|without (?:the )?(?:special|symbol|\W))[^.\n]{0,60}(?:works?|ok|fine|succe)|(?:works?|fine|ok)[^.\n]{0,40}(?:simple|alphanumeric|without (?:the )?special)|quot(?:es|ing) (?:it )?(?:works|helps|fix)",
    )
    if (found or simpler) and troubled(evidence):
        weights = {
            "unescaped-userinfo": 8.0 + (4.0 if found and simpler else 0.0),
            "mangled-in-config": 6.0,
            "charset-mismatch": 2.0,
        }
        says = "The password has special characters, and much depends on how they are passed on."
        yield Finding(
            "special-characters", says, weights, (found or simpler or ("", Where()))[1], group="special"
        )


@check
def query_characters(evidence: Evidence) -> Iterator[Finding]:
    """A configured secret with `+ & # %` that travels in a query, where these mean something else."""
    for setting, at in every(
        evidence,
        r"^\s*[\"']?([\w-]*(?:password|passwd|token|secret|api_?key)[\w-]*)[\"']?\s*[:=]\s*[\"']?([^\s\"'#]*[+&#%][^\s\"']*)",
    ):
        name = re.escape(setting.group(1))
        short = re.escape(setting.group(1).rpartition("_")[2])
        if where(evidence, rf"[?&](?:{name}|[\w]*{short})=") and troubled(evidence):
            says = f"{setting.group(1)} has a character that a query must encode (+ & # %), and it travels in a query."
            yield Finding(
                "query-unescaped",
                says,
                {"unescaped-userinfo": 19.0, "software-bug": 5.0},
                at,
                group="userinfo",
            )
            return
