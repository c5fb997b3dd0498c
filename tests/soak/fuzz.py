"""Fuzzing by coverage: `python tests/soak/fuzz.py [--minutes-each N] [--only TARGET]`.

One target after the other runs in a process of its own under atheris (libFuzzer), from its samples in
`corpus/<target>`. Whatever raises, or takes more than two seconds of CPU, is kept in `crashes/` and printed
with how to reproduce it. Then come the texts of more than a megabyte.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
CORPUS, CRASHES, WORDS = HERE / "corpus", HERE / "crashes", HERE / "words.dict"
MINUTES: Final = 2.0  #: for one target
SLOW: Final = 2.0  #: seconds of CPU for one input
MOST_CRASHES: Final = 5  #: of one target, then the next one has its turn
LONGEST: Final = 20_000


class TooSlow(Exception):
    """One input took too long."""


def timed(target: Callable[[bytes], Any]) -> Callable[[bytes], None]:
    """The target, raising where it takes more than its time."""

    def run(data: bytes) -> None:
        start = time.process_time()
        target(data)
        taken = time.process_time() - start
        if taken > SLOW:
            raise TooSlow(f"{taken:.1f} s for {len(data)} bytes")

    return run


def child(name: str, arguments: list[str]) -> None:
    """Fuzz one target in this process; `arguments` are those of libFuzzer."""
    import atheris

    with atheris.instrument_imports(include=["why401"], enable_loader_override=False):
        import why401

        for module in pkgutil.walk_packages(why401.__path__, "why401."):
            if not module.name.startswith(
                ("why401.cli", "why401.live", "why401.probes", "why401.experiments")
            ):
                importlib.import_module(module.name)
    from tests.soak.targets import TARGETS

    atheris.Setup([sys.argv[0], *arguments], timed(TARGETS[name]))
    atheris.Fuzz()


def fuzz(name: str, minutes: float) -> tuple[int, float, list[Path]]:
    """The executions, the minutes and the crashes of one target."""
    runs, crashes, start = 0, list[Path](), time.monotonic()
    with tempfile.TemporaryDirectory() as found:
        while (left := minutes * 60 - (time.monotonic() - start)) > 5 and len(crashes) < MOST_CRASHES:
            output = _run(name, left, found)
            runs += max((int(n) for n in re.findall(r"(?m)^(?:#|Done )(\d+)", output)), default=0)
            crash = re.search(r"Test unit written to (\S+)", output)
            if crash is None:
                if "Done " not in output:
                    print(output[-2000:])
                break
            crashes.append(Path(crash[1]))
            _tell(name, Path(crash[1]), output)
    return runs, (time.monotonic() - start) / 60, crashes


def _run(name: str, seconds: float, found: str) -> str:
    samples = CORPUS / name
    samples.mkdir(parents=True, exist_ok=True)
    CRASHES.mkdir(exist_ok=True)
    options = {
        "max_total_time": int(seconds),
        "max_len": LONGEST,
        "timeout": 30,
        "rss_limit_mb": 3000,
        "dict": WORDS,
        "artifact_prefix": f"{CRASHES}/{name}-",
    }
    command = [sys.executable, __file__, "--child", name, *(f"-{k}={v}" for k, v in options.items())]
    ran = subprocess.run(
        [*command, found, str(samples)], capture_output=True, check=False, preexec_fn=lambda: os.nice(15)
    )
    return (ran.stdout + ran.stderr).decode("utf-8", "replace")


def _tell(name: str, crash: Path, output: str) -> None:
    trace = re.search(r"(?s)Uncaught Python exception: ===.*?(?=INFO: )", output)
    print((trace[0] if trace else output)[-1500:])
    print(
        f"{name}: reproduce with  python {Path(__file__).relative_to(Path.cwd())} --only {name} {crash}",
        flush=True,
    )


def chosen(only: str) -> Iterator[str]:
    """The targets of this name, or all whose names hold it."""
    from tests.soak.targets import TARGETS

    yield from [only] if only in TARGETS else (name for name in TARGETS if only in name)


def main() -> int:
    """Fuzz, or run the inputs that are given once; the exit status says whether something went wrong."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes-each", type=float, default=MINUTES)
    parser.add_argument("--only", default="", metavar="TARGET")
    parser.add_argument("input", nargs="*", type=Path, help="run these once instead of fuzzing")
    args = parser.parse_args()
    if args.input:
        from tests.soak.targets import TARGETS

        for path in args.input:
            timed(TARGETS[args.only])(path.read_bytes())
        return 0
    failed = False
    for name in chosen(args.only):
        runs, minutes, crashes = fuzz(name, args.minutes_each)
        failed |= bool(crashes)
        print(f"{name:22} {minutes:5.1f} min {runs:9} runs {len(crashes)} crashes", flush=True)
    if not args.only:
        from tests.soak import large

        failed |= bool(large.run())
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
