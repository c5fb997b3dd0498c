"""Key files made by cryptography and joserfc, whole and damaged, and the tokens that they verify or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt as jose
from joserfc.jwk import ECKey, OctKey, RSAKey

from why401.layers.file_access import readable_by
from why401.layers.key_check import check_token
from why401.layers.key_files import read

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RSA, OTHER, EC = RSAKey.generate_key(2048), RSAKey.generate_key(2048), ECKey.generate_key("P-256")
PUBLIC = RSA.as_pem(private=False).decode()
PRIVATE = RSA.as_pem(private=True).decode()


def token(key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    return jose.encode({"alg": alg, **header}, {"iss": "a"}, key, algorithms=[alg])


def certificate(days: int) -> str:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(NOW - timedelta(400)).not_valid_after(NOW + timedelta(days))
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("text", "kinds", "problems"),
    [
        (PUBLIC, ["public"], []),
        (PUBLIC.replace("\n", "\r\n"), ["public"], []),
        (PRIVATE, ["private"], []),
        (certificate(10), ["certificate"], []),
        (certificate(-10), ["certificate"], ["expired"]),
        (PUBLIC + PRIVATE, ["public", "private"], []),
        (PUBLIC.replace("\n", "\\n"), ["public"], ["literal-newlines"]),
        (PUBLIC.replace("\n", " "), ["public"], ["one-line"]),
        ("\n".join(PUBLIC.splitlines()[1:-1]), [], ["no-header"]),
        (PUBLIC[:200], [], ["cut-off"]),
        (PUBLIC.replace("MII", "AAA"), [], ["damaged"]),
        (
            "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
            [],
            ["wrong-kind"],
        ),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            [],
            ["encrypted"],
        ),
        ("a secret", [], ["not-a-key"]),
        ("{", [], ["not-json"]),
        ('{"keys": [1]}', [], ["not-jwks"]),
        ('{"keys": []}', [], ["empty"]),
    ],
    ids=range(17),
)
def test_what_a_file_holds(text: str, kinds: list[str], problems: list[str]) -> None:
    file = read(text, NOW)
    assert [key.kind for key in file.keys] == kinds
    assert [problem.kind for problem in file.problems] == problems
    assert "MII" not in repr(file)


def jwks(*keys: tuple[Any, dict[str, Any]]) -> str:
    return json.dumps({"keys": [{**key.as_dict(private=False), **more} for key, more in keys]})


@pytest.mark.parametrize(
    ("text", "given", "kind"),
    [
        (jwks((RSA, {"kid": "one"}), (OTHER, {"kid": "two"})), token(kid="one"), "verified"),
        (jwks((RSA, {"kid": "one"}), (OTHER, {"kid": "two"})), token(), "verified"),
        (jwks((OTHER, {"kid": "two"})), token(kid="one"), "no-key"),
        (jwks((OTHER, {"kid": "one"})), token(kid="one"), "bad-signature"),
        (jwks((OTHER, {"kid": "one"}), (RSA, {"kid": "two"})), token(kid="one"), "other-key"),
        (jwks((EC, {"kid": "one"})), token(kid="one"), "wrong-key-type"),
        (jwks((RSA, {"kid": "one", "alg": "PS256"})), token(kid="one"), "wrong-alg"),
        (jwks((RSA, {"kid": "one", "use": "enc"})), token(kid="one"), "wrong-use"),
        (PUBLIC, token(kid="one"), "verified"),
        (PRIVATE, token(), "verified"),
        (OTHER.as_pem(private=False).decode(), token(), "bad-signature"),
        (EC.as_pem(private=False).decode(), token(), "wrong-key-type"),
        (PUBLIC, token(OctKey.import_key("x" * 40), "HS256"), "wrong-key-type"),
        (ECKey.generate_key("P-384").as_pem(private=False).decode(), token(EC, "ES256"), "wrong-key-type"),
        (PUBLIC, "no token", "undecidable"),
    ],
    ids=range(15),
)
def test_a_token_and_the_keys_of_a_file(text: str, given: str, kind: str) -> None:
    found = check_token(given, read(text, NOW))
    assert found.kind == kind
    assert given not in found.says


def test_the_curve_of_a_key() -> None:
    made = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = made.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert [(key.family, key.curve) for key in read(pem.decode(), NOW).keys] == [("EC", "P-256")]


ODD = st.text(alphabet="-BEGINPUBLICKEYCERTIFICATEND \\n\nMIA=/{}[]\"':kty", max_size=200)


@given(text=st.one_of(st.text(), ODD, ODD.map(lambda body: PUBLIC[:27] + body + PUBLIC[-26:])))
@settings(max_examples=100, deadline=None)
def test_any_text_is_read(text: str) -> None:
    check_token(token(kid="one"), read(text, NOW))


# ---------------------------------------------------------------------------------------- file access


@pytest.fixture
def tree() -> Iterator[Path]:
    """a/users and link -> a/users in a folder that everybody can search, unlike pytest's."""
    with TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "a").mkdir()
        (root / "a" / "users").write_text("x")
        (root / "link").symlink_to(root / "a" / "users")
        yield root


STRANGER = 54321


@pytest.mark.parametrize(
    ("mode", "folder_mode", "uid", "grouped", "refuses"),
    [
        (0o644, 0o755, STRANGER, False, None),
        (0o640, 0o755, STRANGER, False, "users"),
        (0o640, 0o755, STRANGER, True, None),
        (0o604, 0o755, STRANGER, True, "users"),  # only one class counts
        (0o644, 0o700, STRANGER, False, "a"),
        (0o644, 0o744, STRANGER, False, "a"),  # readable, not searchable
        (0o600, 0o700, 0, False, None),
    ],
)
def test_who_may_read_a_file(
    tree: Path, mode: int, folder_mode: int, uid: int, grouped: bool, refuses: str | None
) -> None:
    file = tree / "a" / "users"
    gids = (file.stat().st_gid,) if grouped else ()
    file.chmod(mode)
    (tree / "a").chmod(folder_mode)
    for path in (file, tree / "link"):
        found = readable_by(path, uid, gids)
        name = path.name if refuses == "users" else refuses
        assert (Path(found).name if found else None) == name


def test_an_absent_file_is_not_an_unreadable_one(tree: Path) -> None:
    with pytest.raises(FileNotFoundError):
        readable_by(tree / "none", STRANGER, ())
