"""Rules on code that makes and takes its own tokens: what `jwt.encode` writes has to be what `jwt.decode` asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from why401.checks import rule
from why401.checks.python_edits import applications, document, line, replaced
from why401.evidence import Evidence, Request, Source
from why401.findings import NAMED, Finding, Where
from why401.layers.model import Edit
from why401.layers.python_app import Application
from why401.layers.python_values import UNKNOWN, Configured

Call = tuple[dict[str, Any], Source]


@rule
def made_otherwise_than_taken(evidence: Evidence) -> Iterator[Finding]:
    """The application signs its tokens in a way that it does not accept itself."""
    for app in applications(evidence, Application):
        made, taken = _calls(app)
        if not made or not taken:
            continue
        for given, source in taken:
            yield from _differs(app, made, given, source)


def _calls(app: Application) -> tuple[list[Call], list[Call]]:
    """Every call of `encode` and of `decode` that a request may reach, each once."""
    made: dict[Source, Call] = {}
    taken: dict[Source, Call] = {}
    for endpoint in app.endpoints:
        asking = app.ask(Request(None, None, complete=False), endpoint, endpoint.path)
        made |= {source: (given, source) for given, source in asking.decoding.made}
        taken |= {source: (given, source) for given, source in asking.decoding.calls}
    return list(made.values()), list(taken.values())


def _differs(app: Application, made: list[Call], given: dict[str, Any], source: Source) -> Iterator[Finding]:
    options = given.get("options")
    if isinstance(options, dict) and options.get("verify_signature") is False:
        return
    if "algorithms" not in given and len(given) < 3:
        says = "`jwt.decode` is called without `algorithms`: PyJWT 2 refuses every token."
        names = {str(m.get("algorithm", "HS256")) for m, _ in made}
        edits = _keyword(app, source, f'algorithms=["{names.pop()}"]') if len(names) == 1 else ()
        yield _found(
            app,
            "python-decode-without-algorithms",
            says,
            "auth-setting-wrong",
            source,
            "Name the algorithms.",
            edits,
        )
        return
    keys = [m.get("key") for m, _ in made]
    wanted = given.get("key")
    if _plain(wanted) and keys and all(_plain(key) and key != wanted for key in keys):
        at = made[0][1].line
        says = f"The token is checked with another key than the one that signs it (line {at})."
        edits = _argument(app, source, made[0][1], 1, "key")
        yield _found(
            app, "python-two-keys", says, "bad-signature", source, "Check with the key that signs.", edits
        )
    algorithms = given.get("algorithms")
    allowed = [algorithms] if isinstance(algorithms, str) else algorithms
    used = [m.get("algorithm", "HS256") for m, _ in made]
    if (
        isinstance(allowed, list)
        and UNKNOWN not in allowed
        and all(isinstance(u, str) and u not in allowed for u in used)
    ):
        says = f"The token is signed with {used[0]}, which the list of `jwt.decode` here leaves out."
        edits = (
            replaced(app, source, f'"{allowed[0]}"', f'"{used[0]}"')
            if len(allowed) == 1 and used[0][:2] == str(allowed[0])[:2]
            else ()
        )
        yield _found(
            app, "python-two-algorithms", says, "wrong-algorithm", source, f"Accept {used[0]}.", edits
        )
    yield from _claims(app, made, given, source)


def _claims(app: Application, made: list[Call], given: dict[str, Any], source: Source) -> Iterator[Finding]:
    payloads = [m.get("payload") for m, _ in made]
    if not all(isinstance(payload, dict) for payload in payloads):
        return
    for claim, name, cause in (("aud", "audience", "wrong-audience"), ("iss", "issuer", "wrong-issuer")):
        held = [p.get(claim) for p in payloads if isinstance(p, dict)]
        wanted = given.get(name)
        if (wanted is None and claim == "iss") or (wanted is None and None in held):
            continue
        if wanted is not None and not isinstance(wanted, str):
            continue
        if not all(isinstance(one, str) or one is None for one in held) or wanted in held:
            continue
        told = f"asks for {name} {wanted!r}" if wanted else f"names no {name}, which the token has"
        says = f"`jwt.decode` {told}; the tokens made at line {made[0][1].line} have {held[0]!r}."
        edits: tuple[Edit, ...] = ()
        if isinstance(held[0], str):
            edits = (
                replaced(app, source, f'{name}="{wanted}"', f'{name}="{held[0]}"')
                if wanted
                else _keyword(app, source, f'{name}="{held[0]}"')
            )
        yield _found(
            app, f"python-two-{name}s", says, cause, source, f"Ask for the {name} that is written.", edits
        )


def _plain(value: Any) -> bool:
    return isinstance(value, (str, bytes)) and not isinstance(value, Configured)


def _keyword(app: Application, source: Source, written: str) -> tuple[Edit, ...]:
    """A keyword added at the end of a call that stands on one line."""
    text = line(app, source)
    at = text.find("decode(")
    end = _closing(text, at + len("decode"))
    held = document(app, source.name)
    if at < 0 or end < 0 or held is None or source.line is None:
        return ()
    return (Edit(held, source.line, source.line, (f"{text[:end]}, {written}{text[end:]}",)),)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0 and text[at] == ")":
            return at
    return -1


def _argument(app: Application, into: Source, out_of: Source, position: int, name: str) -> tuple[Edit, ...]:
    """The argument of one call written in place of that of another, where both are names."""
    from why401.checks.python_edits import call_at

    target, origin = call_at(app, into, "decode"), call_at(app, out_of, "encode")
    if target is None or origin is None or into.name != out_of.name:
        return ()
    old = next((k.value for k in target.keywords if k.arg == name), None) or (
        target.args[position] if len(target.args) > position else None
    )
    new = next((k.value for k in origin.keywords if k.arg == name), None) or (
        origin.args[position] if len(origin.args) > position else None
    )
    import ast

    if not isinstance(old, (ast.Name, ast.Attribute)) or not isinstance(new, (ast.Name, ast.Attribute)):
        return ()
    return replaced(app, Source(into.name, old.lineno), ast.unparse(old), ast.unparse(new))


def _found(
    app: Application, slug: str, says: str, cause: str, source: Source, fix: str, edits: tuple[Edit, ...]
) -> Finding:
    # Of the group this one counts, since it knows the mend.
    weights = {cause: NAMED + 4, "wrong-password": -8.0, "no-credentials": -8.0}
    return Finding(slug, says, weights, Where.of(source), "token-refused", app.hop, fix=fix, edits=edits)
