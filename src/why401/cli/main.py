"""`why401`: one command takes any evidence. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

COMMANDS = (
    "explain",
    "demo",
    "lint",
    "schema",
    "serve",
    "project",
    "user",
    "events",
    "backup",
    "export",
    "import",
)
MODULES = {"import": "import_"}  #: where Python has a word of its own

HELP = """\
why401 finds out why a request is refused with 401, proves it, and says how to mend it.

  why401 URL [curl's options] [FILE …]   send the request, diagnose the refusal, try what would cure it
  why401 curl …                          put why401 before the curl command that failed
  why401 FILE …                          a transcript, HAR, error message, log, settings, code: nothing is sent
  … | why401                             the same from standard input
  why401 lint PATH …                     what in a configuration or code will answer 401 unexpectedly (for CI)
  why401 explain CAUSE|CODE|HEADER       what a cause, an error code or a header value means
  why401 demo                            start a broken site on loopback and diagnose it

Output:      --json  --markdown  --sarif  --html FILE  --all (every finding)  --width N  --no-color  --quiet
Sending:     --offline (send nothing)  --live (URLs found in files may be asked)  --replay-unsafe
             --origin URL (the application itself, past the proxy)  --via PROXY (try through a proxy)
             --token-url URL with --refresh-token T or --client-id I --client-secret S (log in anew once)
             --send-credentials-to ORIGIN  --max-requests N (12)  --max-failed-logins N (2)
Mending:     --apply (carry the fix out on your files: backup, syntax check, reload, the same request again; taken
             back unless it helps and keeps others out)  --reload COMMAND  --allow-open
Secrets are never shown unless you say --show-secrets.

Exit status: 0 no authentication failure, 1 one was diagnosed, 2 wrong usage or unreadable input,
3 the target could not be reached.
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    words = list(sys.argv[1:] if words is None else words)
    if words[:1] in (["--version"], ["-V"]):
        from why401 import __version__

        print(f"why401 {__version__}")
        return 0
    if words[:1] in (["--help"], ["-h"]) or (not words and sys.stdin.isatty()):
        print(HELP, end="")
        return 0
    if words and words[0] in COMMANDS:
        from importlib import import_module

        status: int = import_module(f"why401.cli.{MODULES.get(words[0], words[0])}").main(words[1:])
        return status
    from why401.cli.diagnose import main as diagnose

    return diagnose(words)


def entry() -> None:
    """The console script: a closed pipe and Ctrl-C end it quietly."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    entry()
