"""Where nginx leads a request before it looks at access (`rewrite`, `return`) and after it (`try_files`)."""

from __future__ import annotations

import re
from typing import Final, Literal

from why401.layers.model import Directive
from why401.layers.nginx_match import written

PASSES: Final = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass")


def goes_on(block: Directive) -> str:
    """The URI or named location that `try_files` of this block ends with; "" for none."""
    tries = block.first("try_files") if not block.all(*PASSES) else None
    return tries.args[-1] if tries and tries.args and tries.args[-1][:1] in "/@" else ""


def rewritten(block: Directive, path: str) -> tuple[Literal["answers", "stays", "leaves"], str]:
    """What `rewrite` and `return` directly in a block make of a request (ngx_http_rewrite_module), and its path.

    They come before access is looked at: who leaves or is answered here is not asked for a login here.
    """
    before = path
    for directive in block.block or ():
        if directive.name == "return":
            return "answers", path
        if directive.name == "break":
            return "stays", path
        target = _replaced(directive.args, path) if directive.name == "rewrite" else None
        if target is None:
            continue
        if not target.startswith("/") or directive.args[2:3] in (("redirect",), ("permanent",)):
            return "answers", path
        path = target.partition("?")[0]
        if directive.args[2:3] == ("break",):
            return "stays", path
        if directive.args[2:3] == ("last",):
            break
    return ("leaves" if path != before else "stays"), path


def _replaced(args: tuple[str, ...], path: str) -> str | None:
    """What a `rewrite` makes of a path; None where it does not fit (or Python cannot read the expression)."""
    try:
        match = re.search(args[0], path)
    except (re.error, IndexError):
        return None
    if match is None or len(args) < 2:
        return None
    groups = {str(at): text or "" for at, text in enumerate(match.groups(), 1)} | {"uri": path}
    return re.sub(r"\$(\d|uri\b)", lambda found: groups.get(found[1], ""), args[1])


def always_answers(block: Directive) -> bool:
    """Whether every request that comes to the block is answered there, by `return` or a redirect."""
    if block.all("return"):
        return True
    modifier, pattern = written(block)
    prefix = pattern if block.name == "location" and modifier in ("", "=", "^~") else "/"
    paths = (prefix,) if modifier == "=" else (prefix, f"{prefix.rstrip('/')}/x/y")
    return bool(block.all("rewrite")) and all(rewritten(block, path)[0] == "answers" for path in paths)
