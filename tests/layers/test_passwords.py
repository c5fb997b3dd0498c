"""Password files: parsed whatever they hold, and checked as nginx, Apache and Squid really check them."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.live.servers import apache, free_port, needs, nginx, running
from why401.layers.password_check import Outcome, verify, verify_digest, verify_stored
from why401.layers.password_hashes import fits_hash
from why401.layers.password_kinds import Kind, recognise
from why401.layers.password_servers import LIBC, SERVERS, can_check
from why401.layers.passwords import lookup, parse, parse_digest

PASSWORD = "Tr0ub4dor&3 x"
APR1 = "$apr1$gxqxLxJS$0ZsN6mDdvaDpeI8Nmsudl."
OPTIONS = {Kind.APR1: "-m", Kind.BCRYPT: "-B", Kind.SHA: "-s", Kind.DES: "-d"}


@cache
def made(kind: Kind, password: str = PASSWORD) -> str:
    """A hash as a real tool makes it."""
    if kind is Kind.SSHA:
        digest = hashlib.sha1(password.encode() + b"salt").digest()
        return "{SSHA}" + base64.b64encode(digest + b"salt").decode()
    if kind in (Kind.MD5, Kind.SHA256, Kind.SHA512):
        option = {Kind.MD5: "-1", Kind.SHA256: "-5", Kind.SHA512: "-6"}[kind]
        command = [needs("openssl"), "passwd", option, "-salt", "saltsalt", password]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    cost = ["-C", "4"] if kind is Kind.BCRYPT else []
    command = [needs("htpasswd"), "-nb", OPTIONS[kind], *cost, "x", password]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().partition(":")[2]


def kinds_of(text: str) -> set[str]:
    return {problem.kind for problem in parse(text).problems}


# ------------------------------------------------------------------------------------------- hashes


@pytest.mark.parametrize(
    "kind", [*OPTIONS, Kind.SSHA, Kind.MD5, Kind.SHA256, Kind.SHA512], ids=lambda kind: kind.name
)
def test_what_the_tools_make_is_recognised_and_checked(kind: Kind) -> None:
    stored = made(kind)
    assert recognise(stored) == recognise(made(kind))
    assert (recognise(stored).kind, recognise(stored).damage) == (kind, "")
    assert fits_hash(PASSWORD, stored) is True
    assert fits_hash("another", stored) is False
    assert not kinds_of(f"alice:{stored}\n")


@pytest.mark.parametrize(
    ("stored", "kind", "fits"),
    [
        # made by libxcrypt 4.4 from "secret"
        ("$y$j9T$abcdefgh$IUWJt2doU4Kf6E/JP1UkAT3S5O3Q7SSA8SJirXIlEu9", Kind.YESCRYPT, True),
        ("5ebe2294ecd0e0f08eab7690d2a6ee69", Kind.MD5_HEX, True),
        ("{PLAIN}secret", Kind.MARKED, True),
        ("secret", Kind.PLAIN, True),
        ("$2y$31$" + "a" * 53, Kind.BCRYPT, None),  # would take days
        ("$6$rounds=999999999$salt$" + "a" * 86, Kind.SHA512, None),
        ("$argon2id$v=19$m=99999999,t=1,p=4$7De/DlopWRHuQsPdpwAv+g$qXIy", Kind.ARGON2ID, None),
    ],
)
def test_other_kinds(stored: str, kind: Kind, fits: bool | None) -> None:
    assert recognise(stored).kind is kind
    found = fits_hash("secret", stored)
    if kind is Kind.YESCRYPT and found is None:
        pytest.skip("this machine's libcrypt does not know yescrypt")
    assert found is fits


def test_argon2id() -> None:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    made_of = Argon2id(salt=b"saltsaltsaltsalt", length=32, iterations=1, lanes=1, memory_cost=64)
    stored = made_of.derive_phc_encoded(PASSWORD.encode())
    assert verify_stored(PASSWORD, stored, "caddy").outcome is Outcome.ACCEPTED
    assert verify_stored("another", stored, "caddy").outcome is Outcome.WRONG_PASSWORD
    assert verify_stored(PASSWORD, stored, "nginx").outcome is Outcome.UNSUPPORTED


def test_bcrypt_counts_72_bytes() -> None:
    stored = made(Kind.BCRYPT, "x" * 72)
    found = verify_stored("x" * 80, stored, "nginx")
    assert found.outcome is Outcome.ACCEPTED
    assert "72 bytes" in found.says


# ------------------------------------------------------------------------------------------- damage

BCRYPT = "$2y$05$" + "aB3./" * 10 + "xyz"


@pytest.mark.parametrize(
    ("stored", "damage"),
    [
        (BCRYPT[:-1], "damaged"),
        (BCRYPT + "x", "damaged"),
        (APR1[:20], "damaged"),
        ("$apr1", "damaged"),
        ("{SHA}abc", "damaged"),
        (APR1 + "  ", "whitespace"),
        (" " + APR1, "whitespace"),
        (APR1.replace("$", "$$"), "doubled-dollar"),
        (BCRYPT.replace("$", "$$"), "doubled-dollar"),
        (APR1.replace("$", "\\$"), "escaped-dollar"),
        (f"'{APR1}'", "quoted"),
        ("", "empty"),
        ("$zz$salt$hash", "unknown-kind"),
        ("y0./aB3./aB3", "dollar-eaten"),
        ("y-bash5./aB3./aB3", "dollar-eaten"),
        ("/a6sR02jwvLyNl0KIy8Js", "dollar-eaten"),
        (APR1, ""),
        (BCRYPT, ""),
        ("b4ckdoor", ""),
        ("a1", "dollar-eaten"),
        ("secret", ""),
    ],
)
def test_damage(stored: str, damage: str) -> None:
    found = recognise(stored)
    assert found.damage == damage
    if damage in ("whitespace", "doubled-dollar", "escaped-dollar", "quoted"):
        assert found.mended is not None
        assert found.mended.reveal() in (APR1, BCRYPT)


def test_what_a_shell_leaves_of_a_hash_is_seen_for_what_it_is() -> None:
    for stored in (
        "$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/",
        "$2y$10$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ):
        left = subprocess.run(["bash", "-c", f'printf %s "{stored}"'], capture_output=True, text=True).stdout
        assert recognise(left).damage in ("dollar-eaten", "empty")


# -------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"alice:{APR1}\nbob:{APR1}\n# note\n\n", set()),
        (f"alice:{APR1}:a comment\n", set()),
        (f"alice:{APR1}\r\n", {"crlf"}),
        (f"alice:{APR1}\rbob:{APR1}\r", {"cr-only", "whitespace"}),
        (f"\ufeffalice:{APR1}\n", {"bom"}),
        ("", {"empty"}),
        ("# only a note\n", {"empty"}),
        (f"alice\nbob:{APR1}\n", {"no-colon"}),
        (f"alice:{APR1}\nalice:{APR1}\n", {"duplicate"}),
        (f"alice smith:{APR1}\n", {"user-whitespace"}),
        (f'"alice:{APR1}"\n', {"quoted", "damaged"}),
        (f":{APR1}\n", {"no-user"}),
        ("alice:secret\n", {"plain"}),
    ],
)
def test_problems_of_a_file(text: str, kinds: set[str]) -> None:
    assert kinds_of(text) == kinds


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"\ufeffalice:{APR1}", "bom"),
        (f"#alice:{APR1}", "commented-out"),
        (f"alice :{APR1}", "whitespace"),
        (f'"alice:{APR1}"', "quoted"),
        (f"- alice:{APR1}", "list-mark"),
        (f"Alice:{APR1}", "case"),
        ("alice", "no-colon"),
        (f"bob:{APR1}", "unknown-user"),
    ],
)
def test_why_a_user_is_not_found(line: str, kind: str) -> None:
    found = verify("alice", "x", parse(f"{line}\nroot:{APR1}\n"), "nginx")
    assert found.outcome is Outcome.UNKNOWN_USER
    assert found.line == (None if kind == "unknown-user" else 1)
    missing = lookup(parse(f"{line}\nroot:{APR1}\n"), "alice", "nginx")
    assert getattr(missing, "kind", None) == kind


@pytest.mark.parametrize(
    ("server", "line"),
    [("nginx", 1), ("apache", 1), ("lighttpd", 1), ("traefik", 2), ("registry", 2), ("squid", 2)],
)
def test_which_of_two_lines_counts(server: str, line: int) -> None:
    text = f"alice:{made(Kind.BCRYPT, 'one')}\nalice:{made(Kind.BCRYPT, 'two')}\n"
    right, wrong = ("one", "two") if line == 1 else ("two", "one")
    assert verify("alice", right, parse(text), server).outcome is Outcome.ACCEPTED
    found = verify("alice", wrong, parse(text), server)
    assert (found.outcome, found.line) == (Outcome.WRONG_PASSWORD, line)


def test_one_bad_line_refuses_the_whole_file_of_the_go_servers() -> None:
    file = parse(f"broken\nalice:{made(Kind.BCRYPT)}\n")
    for server, outcome in (
        ("registry", Outcome.DAMAGED),
        ("traefik", Outcome.DAMAGED),
        ("nginx", Outcome.ACCEPTED),
    ):
        assert verify("alice", PASSWORD, file, server).outcome is outcome


# ------------------------------------------------------------------------------------------ servers


@pytest.mark.parametrize(
    ("server", "kind", "libc", "can"),
    [
        ("nginx", Kind.BCRYPT, None, True),
        ("nginx", Kind.BCRYPT, "glibc", False),
        ("nginx", Kind.YESCRYPT, "musl", False),
        ("ingress-nginx", Kind.BCRYPT, None, True),
        ("apache", Kind.SSHA, None, False),
        ("apache", Kind.PLAIN, None, False),
        ("registry", Kind.APR1, None, False),
        ("traefik", Kind.SHA512, None, False),
        ("haproxy", Kind.APR1, None, False),
        ("lighttpd", Kind.SSHA, None, False),
        ("squid", Kind.SHA, None, False),
    ],
)
def test_what_a_server_can_check(server: str, kind: Kind, libc: str | None, can: bool) -> None:
    assert can_check(server, kind, libc) is can


def test_a_right_password_that_the_server_cannot_check() -> None:
    found = verify("alice", PASSWORD, parse(f"alice:{made(Kind.APR1)}\n"), "registry")
    assert (found.outcome, found.matches, found.line) == (Outcome.UNSUPPORTED, True, 1)
    found = verify("alice", PASSWORD, parse(f"alice:{PASSWORD}\n"), "apache")
    assert (found.outcome, found.kind, found.matches) == (Outcome.UNSUPPORTED, Kind.PLAIN, True)
    found = verify("alice", PASSWORD, parse(f"alice:{made(Kind.APR1)}\n"), "lighttpd-plain")
    assert (found.outcome, found.matches) == (Outcome.UNSUPPORTED, True)
    assert verify("alice", "a:b", parse("alice:a:b\n"), "lighttpd-plain").outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("given", "hashed", "variant"),
    [
        ("secret", "secret\n", "line break"),
        ("secret ", "secret", "white space"),
        ("'secret'", "secret", "quotes"),
    ],
)
def test_a_hash_made_from_another_reading(given: str, hashed: str, variant: str) -> None:
    found = verify_stored(given, made(Kind.APR1, hashed), "nginx")
    assert found.outcome is Outcome.WRONG_PASSWORD
    assert variant in (found.variant or "")


def test_a_damaged_entry_says_whether_it_fits_when_put_right() -> None:
    doubled = made(Kind.BCRYPT).replace("$", "$$")
    assert verify_stored(PASSWORD, doubled, "traefik").outcome is Outcome.DAMAGED
    assert verify_stored(PASSWORD, doubled, "traefik").matches is True
    assert verify_stored("another", doubled, "traefik").matches is False


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("kind", [Kind.APR1, Kind.BCRYPT])
def test_no_sentence_and_no_repr_holds_a_secret(server: str, kind: Kind) -> None:
    stored = made(kind)
    for line in (stored, stored.replace("$", "$$"), stored[:-2], PASSWORD):
        file = parse(f"alice:{line}\n")
        shown = f"{file!r} {verify('alice', PASSWORD, file, server)!r} {recognise(line)!r}"
        assert PASSWORD not in shown
        assert line not in shown
        assert stored[8:] not in shown


# ------------------------------------------------------------------------------------ real servers


def files() -> dict[str, str]:
    apr1, bcrypt = made(Kind.APR1), made(Kind.BCRYPT)
    kinds = {kind.name: f"alice:{made(kind)}\n" for kind in (*OPTIONS, Kind.SSHA, Kind.MD5, Kind.SHA512)}
    return kinds | {
        "crlf": f"alice:{apr1}\r\n",
        "trailing spaces": f"alice:{apr1}  \n",
        "leading spaces": f"  alice:{apr1}\n",
        "space before the hash": f"alice: {apr1}\n",
        "BOM": f"\ufeffalice:{apr1}\n",
        "comment": f"alice:{apr1}:note\n",
        "first is wrong": f"alice:{made(Kind.APR1, 'old')}\nalice:{apr1}\n",
        "first is right": f"alice:{apr1}\nalice:{made(Kind.APR1, 'old')}\n",
        "plain": f"alice:{PASSWORD}\n",
        "{PLAIN}": f"alice:{{PLAIN}}{PASSWORD}\n",
        "2b": f"alice:{bcrypt.replace('2y', '2b')}\n",
        "cut off": f"alice:{bcrypt[:-1]}\n",
        "too long": f"alice:{bcrypt}abc\n",
        "quoted": f'alice:"{apr1}"\n',
        "doubled": f"alice:{apr1.replace('$', '$$')}\n",
        "empty": "alice:\n",
        "a line without colon": f"alice\nalice:{apr1}\n",
        "two lines after one without colon": f"alice\nbob:{apr1}\nalice:{apr1}\n",
        "half a name before": f"al\nalice:{apr1}\n",
        "half a name before with CR LF": f"al\r\nalice:{apr1}\r\n",
        "another without colon": f"foo\n\nalice:{apr1}\n",
        "half a name and an empty line": f"al\n\nalice:{apr1}\n",
        "CR only": f"bob:{apr1}\ralice:{apr1}\r",
        "without line end": f"alice:{apr1}",
        "space after the user": f"alice :{apr1}\n",
        "commented out": f"#alice:{apr1}\n",
    }


def basic(url: str) -> int:
    token = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def lighttpd(folder: Path, users: Path) -> AbstractContextManager[str]:
    program, port, config = needs("lighttpd"), free_port(), folder / "lighttpd.conf"
    (folder / "index.html").write_text("protected\n")
    config.write_text(
        f'server.document-root = "{folder}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        f'server.modules = ("mod_auth", "mod_authn_file")\nserver.errorlog = "{folder}/error.log"\n'
        f'auth.backend = "htpasswd"\nauth.backend.htpasswd.userfile = "{users}"\n'
        'auth.require = ("" => ("method" => "basic", "realm" => "x", "require" => "valid-user"))\n'
    )
    return running([program, "-D", "-f", str(config)], f"http://127.0.0.1:{port}/index.html", folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the servers' own users can search, unlike pytest's."""
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.mark.parametrize("server", ["nginx", "apache", "lighttpd"])
def test_the_real_server_agrees(server: str, folder: Path) -> None:
    users = folder / "users"
    if server == "nginx":
        serving = nginx(folder, f"auth_basic x; auth_basic_user_file {users};")
    elif server == "lighttpd":
        serving = lighttpd(folder, users)
    else:
        serving = apache(
            folder,
            f"AuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile {users}\nRequire valid-user",
        )
    said, done = {}, {}
    with serving as url:
        for name, text in files().items():
            users.write_bytes(text.encode())
            said[name] = verify("alice", PASSWORD, parse(text), server).outcome is Outcome.ACCEPTED
            done[name] = basic(url) == 200
    assert said == done


def test_squid_agrees(tmp_path: Path) -> None:
    helper = Path("/usr/lib/squid/basic_ncsa_auth")
    if not helper.exists():
        pytest.skip("squid is not installed")
    asked = f"alice {quote(PASSWORD)}\n"
    users, said, done = tmp_path / "users", {}, {}
    for name, text in files().items():
        users.write_bytes(text.encode())
        answer = subprocess.run([helper, users], input=asked, capture_output=True, text=True, timeout=5)
        said[name] = verify("alice", PASSWORD, parse(text), "squid").outcome is Outcome.ACCEPTED
        done[name] = answer.stdout.startswith("OK")
    assert said == done


# ---------------------------------------------------------------------------------------- htdigest


def test_htdigest(tmp_path: Path) -> None:
    program, path = needs("htdigest"), tmp_path / "digest"
    subprocess.run(  # without a terminal of its own it reads the password from standard input
        [program, "-c", path, "a realm", "alice"],
        input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
        capture_output=True,
        check=True,
        timeout=5,
        start_new_session=True,
    )
    file = parse_digest(path.read_text())
    assert file.problems == ()
    found = verify_digest("alice", "a realm", PASSWORD, file)
    assert (found.outcome, found.line) == (Outcome.ACCEPTED, 1)
    assert verify_digest("alice", "a realm", "x", file).outcome is Outcome.WRONG_PASSWORD
    assert verify_digest("bob", "a realm", "x", file).outcome is Outcome.UNKNOWN_USER
    other = verify_digest("alice", "b", PASSWORD, file)
    assert (other.outcome, other.matches) == (Outcome.UNKNOWN_USER, True)
    assert '"a realm"' in other.says


def test_problems_of_an_htdigest_file() -> None:
    file = parse_digest(f"\ufeffalice:{APR1}\nbob:realm:xyz\n")
    assert {problem.kind for problem in file.problems} == {"bom", "not-htdigest", "damaged"}
    assert verify_digest("bob", "realm", "x", file).outcome is Outcome.DAMAGED


# -------------------------------------------------------------------------------------- any text

ODD = st.text(alphabet="ab:$2y5apr1{SHA}\r\n\t #\"'\\\ufeff\0é/.=", max_size=120)


@given(text=st.one_of(st.text(), ODD), user=ODD, password=st.one_of(st.text(), ODD))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read(text: str, user: str, password: str) -> None:
    file, digest = parse(text), parse_digest(text)
    verify_digest(user, "r", password, digest)
    for server in SERVERS:
        for libc in LIBC:
            verify(user, password, file, server, libc)
        for entry in file.entries[:3]:
            verify(entry.user, password, file, server)


@given(password=st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30))
@settings(max_examples=40, deadline=None)
def test_what_libpass_made_is_accepted(password: str) -> None:
    from passlib.hash import apr_md5_crypt, bcrypt, md5_crypt  # type: ignore[import-untyped]

    for stored in (
        apr_md5_crypt.hash(password),
        md5_crypt.hash(password),
        bcrypt.using(rounds=4).hash(password),
    ):
        assert verify_stored(password, stored, "nginx").outcome is Outcome.ACCEPTED
        assert verify_stored(password + "x", stored, "nginx").outcome is Outcome.WRONG_PASSWORD
