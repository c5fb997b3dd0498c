"""What mod_rewrite makes of a request: its last path, and whether Authorization reaches the program by `E=`.

Followed as far as the configuration alone can say ("Apache mod_rewrite Technical Details"): in a folder's context
the rules run anew after each change of the path, and variables set in the round before are then called REDIRECT_….
A condition that is not known here does not hold for a rule that leads elsewhere, and holds for one that sets a
variable: so a loss is said only where it is sure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from why401.layers.maybe import Maybe, every, opposite, some
from why401.layers.model import Directive
from why401.prefilter import lazy

ROUNDS = 4
_SETS = lazy(r"(?i)(?:^|,)E(?:NV)?=\"?HTTP_AUTHORIZATION(?::|=)")
_STATUS = lazy(r"(?i)(?:^|,)R(?:EDIRECT)?=(40[137])(?:,|$)")
_READS = lazy(r"(?i)%\{HTTP:([\w-]+)\}")


@dataclass(frozen=True)
class Rewrite:
    """One RewriteRule with its conditions."""

    directive: Directive
    conditions: tuple[Directive, ...]

    @property
    def flags(self) -> str:
        return self.directive.args[2].strip("[]").replace(" ", "") if len(self.directive.args) > 2 else ""

    def has(self, *names: str) -> bool:
        """Whether one of these flags is set, whatever its value."""
        return any(flag.partition("=")[0].upper() in names for flag in self.flags.split(","))

    @property
    def sets(self) -> bool:
        """Whether the rule hands Authorization to the program."""
        return bool(_SETS.search(self.flags))

    @property
    def status(self) -> int | None:
        """The refusal that the rule answers with, or None."""
        if self.has("F", "FORBIDDEN"):
            return 403
        match = _STATUS.search(self.flags)
        return int(match[1]) if match else None

    @property
    def reads(self) -> list[str]:
        """The fields of the request that the conditions look at."""
        return [name for c in self.conditions for name in _READS.findall(c.args[0])]


@dataclass
class Outcome:
    """Where the rules lead. `sets` is the rule that hands Authorization on in the last round; `lost` one that is
    not reached then, with the rule that ended the round in `ended`."""

    path: str
    sets: Rewrite | None = None
    lost: Rewrite | None = None
    ended: Rewrite | None = None
    answer: Rewrite | None = None
    passed: tuple[str, Directive] | None = None


@dataclass(frozen=True)
class Facts:
    """What conditions may ask of the request; `exists` is None where the file system is not at hand."""

    path: str
    method: str
    host: str
    exists: Callable[[str], Maybe]


def rules(section: Directive) -> list[Rewrite]:
    """The rules of a section, in order; none where its RewriteEngine is off or not set."""
    engine = section.last("rewriteengine")
    if engine is None or (engine.args[:1] and engine.args[0].lower() != "on"):
        return []
    return list(written(section))


def written(section: Directive) -> Iterator[Rewrite]:
    """The rules of a section as written, whether or not its RewriteEngine is on."""
    conditions: list[Directive] = []
    for directive in section.block or ():
        if directive.name == "rewritecond" and len(directive.args) > 1:
            conditions.append(directive)
        elif directive.name == "rewriterule":
            if len(directive.args) > 1:
                yield Rewrite(directive, tuple(conditions))
            conditions = []


def follow(section: Directive, facts: Facts, folder: str | None) -> Outcome:
    """Apply a section's rules. `folder` is the URL path of the folder in whose context they stand ("/" for the
    document root), None for rules of the server or a virtual host, which run once and see whole paths."""
    found = Outcome(facts.path)
    own = rules(section)
    base = section.last("rewritebase")
    prefix = base.args[0] if base and base.args else folder
    for _ in range(ROUNDS):
        before = found.path
        ended = _round(own, facts, found, folder, prefix)
        if ended or folder is None or found.path == before:
            break
    return found


def _round(
    own: Sequence[Rewrite], facts: Facts, found: Outcome, folder: str | None, prefix: str | None
) -> bool:
    """One round of the rules; True where they are not to run again."""
    found.sets, found.lost, found.ended = None, None, None
    path = found.path
    for at, rule in enumerate(own):
        local = path.removeprefix(folder.rstrip("/") + "/") if folder is not None else path
        if not _fires(rule, local, path, facts):
            continue
        if rule.sets:
            found.sets = rule
        if rule.status is not None:
            found.answer = rule
            return True
        target = rule.directive.args[1]
        if target != "-":
            target = _target(rule, local, target, prefix)
            if rule.has("P", "PROXY"):
                found.passed = (target, rule.directive)
                return True
            if "://" in target or rule.has("R", "REDIRECT"):
                return True
            path = target
        if rule.has("L", "LAST", "END"):
            found.ended = rule
            found.lost = next((r for r in own[at + 1 :] if r.sets), None) if found.sets is None else None
            break
    changed, found.path = path != found.path, path
    final = found.ended is not None and found.ended.has("END")
    if final and changed and folder is not None:
        found.lost, found.sets = found.sets or found.lost, None  # it is REDIRECT_HTTP_AUTHORIZATION now
    return final


def _fires(rule: Rewrite, local: str, path: str, facts: Facts) -> bool:
    pattern = rule.directive.args[0]
    fits = _search(pattern.removeprefix("!"), local, rule.has("NC", "NOCASE"))
    if fits is None or fits is pattern.startswith("!"):
        return False
    holds = _conditions(rule, path, facts)
    return holds is not False if rule.sets and rule.directive.args[1] == "-" else holds is True


def _conditions(rule: Rewrite, path: str, facts: Facts) -> Maybe:
    groups: list[list[Maybe]] = [[]]
    for condition in rule.conditions:
        groups[-1].append(_holds(condition, path, facts))
        flags = condition.args[2].upper().strip("[]") if len(condition.args) > 2 else ""
        if not {"OR", "ORNEXT"} & set(flags.split(",")):
            groups.append([])
    return every(some(group) for group in groups if group)


def _holds(condition: Directive, path: str, facts: Facts) -> Maybe:
    test, pattern = condition.args[:2]
    negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
    known = {
        "%{REQUEST_URI}": path,
        "%{REQUEST_METHOD}": facts.method,
        "%{HTTP_HOST}": facts.host,
        "%{HTTP:AUTHORIZATION}": "Bearer x",
        "%{ENV:REDIRECT_STATUS}": "" if path == facts.path else "200",
    }
    value: Maybe
    if test.upper() == "%{REQUEST_FILENAME}" or (
        test.upper().endswith("%{REQUEST_URI}") and pattern[:1] == "-"
    ):
        value = facts.exists(path) if pattern in ("-f", "-d", "-F", "-s", "-l") else None
        if value and pattern in ("-d", "-l") and not path.endswith("/"):
            value = None if "." not in path.rpartition("/")[2] else False
    elif test.upper() in known:
        nocase = len(condition.args) > 2 and "NC" in condition.args[2].upper()
        own = known[test.upper()]
        value = own == pattern[1:] if pattern[:1] == "=" else _search(pattern, own, nocase)
    else:
        value = None
    return opposite(value) if negated else value


def _search(pattern: str, text: str, nocase: bool) -> bool | None:
    try:
        return re.search(pattern, text, re.I if nocase else 0) is not None
    except re.error:
        return None


def _target(rule: Rewrite, local: str, target: str, prefix: str | None) -> str:
    """The path that a rule leads to; what the conditions' groups (%1) and variables hold is left out."""
    pattern = rule.directive.args[0]
    match = None if pattern.startswith("!") else re.search(pattern, local, re.I if rule.has("NC") else 0)
    groups = match.groups() if match else ()

    def group(number: re.Match[str]) -> str:
        at = int(number[1])
        return (
            match[0] if match and at == 0 else groups[at - 1] or "" if 0 < at <= len(groups) else ""
        ) or ""

    path = re.sub(r"%(?:\d|\{ENV:\w+\})", "", re.sub(r"\$(\d)", group, target)).partition("?")[0]
    if "://" in path or path.startswith("/") or prefix is None:
        return path
    return prefix.rstrip("/") + "/" + path
