"""Reads and lints a large nginx configuration: `python bench/config.py [files] [directives]`.

The configuration is made here: 300 files with 20,000 directives, as a host of many small sites has them. The time
is set beside that of `nginx -t` and of crossplane, which only parse it, in the same run.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

FILES, DIRECTIVES = 300, 20_000
RUNS = 3
PER_LOCATION = 8  # directives that `location` makes, itself included


def location(number: int) -> str:
    """A location as a reverse proxy has it; one in five asks for a login."""
    login = 'auth_basic "Staff";\n        auth_basic_user_file htpasswd;\n' if number % 5 == 0 else ""
    return f"""\
    location /part{number}/ {{
        {login or "client_max_body_size 8m;"}
        proxy_pass http://127.0.0.1:{9000 + number % 50};
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; # as it came
        proxy_set_header Authorization $http_authorization;
        proxy_read_timeout 60s;
    }}
"""


def site(number: int, locations: int) -> str:
    """One server with its locations."""
    body = "".join(location(at) for at in range(locations))
    return (
        f"server {{\n    listen 127.0.0.1:8080;\n    server_name site{number}.example.com;\n"
        f"    root /srv/site{number};\n{body}}}\n"
    )


def make(folder: Path, files: int = FILES, directives: int = DIRECTIVES) -> Path:
    """The main file of a configuration of so many files and directives."""
    (folder / "sites").mkdir()
    (folder / "htpasswd").write_text("alice:$apr1$aaaaaaaa$bbbbbbbbbbbbbbbbbbbbbb\n")
    locations = max(1, directives // files // PER_LOCATION)
    for number in range(files):
        (folder / "sites" / f"site{number:03}.conf").write_text(site(number, locations))
    main = folder / "nginx.conf"
    main.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n    server_names_hash_max_size 8192;\n    access_log off;\n    include {folder}/sites/*.conf;\n}}\n"
    )
    return main


def read_and_lint(folder: Path) -> int:
    """What `why401 lint FOLDER` does without writing; the number of findings."""
    from why401 import layers, readers
    from why401.linting import lint
    from why401.readers.files import inputs

    report = lint(layers.read(readers.documents(inputs([str(folder)]))))
    return sum(diagnosis.side != "none" for diagnosis in report.diagnoses)


def crossplane(main: Path) -> None:
    import crossplane

    crossplane.parse(str(main))


def nginx_test(main: Path) -> None:
    subprocess.run(["nginx", "-t", "-q", "-c", str(main)], capture_output=True, check=False)


def median(work: Callable[[], object]) -> float:
    """Seconds, the median of several runs after one that is not counted."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def main() -> None:
    files, directives = (int(word) for word in (*sys.argv[1:3], str(FILES), str(DIRECTIVES))[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = make(folder, files, directives)
        made = sum(
            text.count(";") + text.count("{") for text in (p.read_text() for p in folder.rglob("*.conf"))
        )
        found = read_and_lint(folder)
        why401 = median(lambda: read_and_lint(folder))
        rows = {"why401 lint": why401, "crossplane.parse": median(lambda: crossplane(root))}
        if shutil.which("nginx"):
            rows["nginx -t"] = median(lambda: nginx_test(root))
        print(f"{files} files, {made} directives, {found} findings")
        for row, seconds in rows.items():
            print(f"{row:18} {seconds * 1000:8.0f} ms   why401 takes {why401 / seconds:6.2f} × as long")


if __name__ == "__main__":
    main()
