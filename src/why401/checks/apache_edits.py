"""Edits of lines of Apache httpd's configuration."""

from __future__ import annotations

from why401.layers.model import Directive, Edit


def last_line(directive: Directive) -> int:
    """The line on which a directive ends; a backslash continues it."""
    lines, at = directive.document.lines, directive.line
    while at < len(lines) and lines[at - 1].rstrip("\r\n").endswith("\\"):
        at += 1
    return at


def indent(directive: Directive) -> str:
    """The white space before a directive."""
    line = directive.document.lines[directive.line - 1]
    return line[: len(line) - len(line.lstrip())]


def after(directive: Directive, *new: str) -> Edit:
    """New lines behind a directive, indented as it is."""
    at = last_line(directive)
    return Edit(directive.document, at + 1, at, tuple(indent(directive) + line for line in new))


def before(directive: Directive, *new: str) -> Edit:
    """New lines in front of a directive, indented as it is."""
    return Edit(
        directive.document,
        directive.line,
        directive.line - 1,
        tuple(indent(directive) + line for line in new),
    )


def instead(directive: Directive, *new: str) -> Edit:
    """New lines in the place of a directive; none takes it out."""
    lines = tuple(indent(directive) + line for line in new)
    return Edit(directive.document, directive.line, last_line(directive), lines)


def written(directive: Directive) -> str:
    """A directive as it stands, without the white space around it; "" where it is continued."""
    return (
        directive.document.lines[directive.line - 1].strip() if last_line(directive) == directive.line else ""
    )


def longer(directive: Directive, words: str) -> tuple[Edit, ...]:
    """The directive with more words at its end; nothing where it is continued."""
    line = written(directive)
    return (instead(directive, f"{line} {words}"),) if line else ()
