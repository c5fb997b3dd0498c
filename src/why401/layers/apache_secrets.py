"""Values in a configuration of Apache httpd that no report may show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from why401.layers.model import Directive
from why401.secret import Secret

#: Directives whose value is a secret.
_SECRET: Final = frozenset(
    "authldapbindpassword oidcclientsecret oidccryptopassphrase oidcoauthclientsecret sessioncryptopassphrase".split()
)


def secrets(block: Directive) -> Iterator[Secret]:
    """Values that no report may show."""
    for directive in block.walk():
        args = directive.args
        if directive.name in _SECRET and args:
            yield Secret(args[0])
        elif directive.name == "requestheader" and len(args) > 2 and "%{" not in args[2]:
            yield Secret(args[2])
        elif directive.name == "rewritecond" and "%{HTTP:" in args[0].upper() if args else False:
            value = re.sub(r"^!|[=^$\\]", "", args[1]) if len(args) > 1 else ""
            if len(value) > 7:
                yield Secret(value)
        elif directive.name == "require" and args[:1] == ("expr",):
            yield from (Secret(v) for v in re.findall(r"['\"]([^'\"]{8,})['\"]", " ".join(args[1:])))
        elif directive.name == "authldapurl" and args and "@" in args[0]:
            yield Secret(args[0].split("//")[-1].split("@")[0])
