"""TLS with client certificates, HTTP/2, IPv6, Unix sockets, and servers that answer nothing of use."""

# A case is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.live.lab import Case, ask, examine, params
from tests.live.real import nginx
from tests.live.servers import needs
from tests.live.sites import GOOD, Site, answers_raw, basic, serve, wants

KEY = "tok-8f3a9c1e5b7d2f40"
TOKEN = ("-H", f"Authorization: Bearer {KEY}")
GUARDED = wants(f"Bearer {KEY}", "Bearer")


@cache
def certificates() -> Path:
    """A folder with an authority, a server certificate, and clients: good, over, and of another authority."""
    where = Path(tempfile.mkdtemp(prefix="why401-lab-"))
    where.chmod(0o755)

    def openssl(*words: str) -> None:
        subprocess.run([needs("openssl"), *words], check=True, capture_output=True, cwd=where)

    for name in ("ca", "otherca"):
        openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            "-subj",
            f"/CN={name}",
            "-days",
            "30",
        )
    (where / "san").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name, authority, end in (
        ("server", "ca", ("-days", "30")),
        ("good", "ca", ("-days", "30")),
        ("other", "otherca", ("-days", "30")),
        ("over", "ca", ("-days", "-1")),
    ):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
        )
        extra = ("-extfile", "san") if name == "server" else ()
        openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            f"{authority}.pem",
            "-CAkey",
            f"{authority}.key",
            "-CAcreateserial",
            "-out",
            f"{name}.pem",
            *end,
            *extra,
        )
        (where / f"{name}.both").write_text(
            (where / f"{name}.pem").read_text() + (where / f"{name}.key").read_text()
        )
    for path in where.iterdir():
        path.chmod(0o644)
    return where


def secure(
    server: str = "", location: str = "try_files $uri =404;"
) -> Callable[[], AbstractContextManager[Site]]:
    def start() -> AbstractContextManager[Site]:
        certs = str(certificates())
        listen = "listen 127.0.0.1:{port} ssl http2; ssl_certificate {certs}/server.pem; ssl_certificate_key {certs}/server.key; ssl_client_certificate {certs}/ca.pem;"
        return nginx(
            f"server {{ {listen} {server} location / {{ {location} }} }}", tls=True, names={"certs": certs}
        )

    return start


def strict() -> AbstractContextManager[Site]:
    """A server whose handshake fails without a good client certificate."""
    where = certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where / "server.pem", where / "server.key")
    context.load_verify_locations(where / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    return serve(lambda _: GOOD, tls=context, names={"certs": str(where)})


@contextmanager
def on_socket() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "s"))
        with serve(GUARDED, unix=path, names={"socket": path}) as site:
            yield site


@contextmanager
def http_and_https() -> Iterator[Site]:
    """Over plain http everything is refused; the same site answers over https."""
    where = certificates()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(where / "server.pem", where / "server.key")
    with serve(GUARDED, tls=context) as good:
        names = {"https": good.url, "certs": str(where)}
        with serve(lambda _: (401, {"WWW-Authenticate": "Bearer"}, "HTTPS required"), names=names) as plain:
            yield plain


CA = ("--cacert", "{certs}/ca.pem")
BASIC = 'auth_basic "lab"; auth_basic_user_file {dir}/htpasswd;'
ALICE = ("-u", "alice:s3cret-Pw")

CASES = [
    Case("certificate-missing", secure("ssl_verify_client on;"), (*CA, "{url}/p"), ("client-certificate-missing",), False, own_failed=0),
    Case("certificate-over", secure("ssl_verify_client on;"), (*CA, "--cert", "{certs}/over.both", "{url}/p"), ("client-certificate-expired",), None, own_failed=0),
    Case("certificate-other", secure("ssl_verify_client on;"), (*CA, "--cert", "{certs}/other.pem", "--key", "{certs}/other.key", "{url}/p"), ("client-certificate-missing",), None, own_failed=0),
    Case("handshake-missing", strict, (*CA, "{url}/p"), ("client-certificate-missing",), False, own_failed=0),
    Case("handshake-over", strict, (*CA, "--cert", "{certs}/over.both", "{url}/p"), ("client-certificate-expired",), False, own_failed=0),
    Case("http2-newline", secure(location=BASIC), (*CA, "-u", "alice:s3cret-Pw\n", "{url}/p"), ("stray-whitespace",), True),
    Case("http2-wrong-password", secure(location=BASIC), (*CA, "--http2", "-u", "alice:other-Pw1", "{url}/p"), ("wrong-password",), False),
    Case("https-wanted", http_and_https, (*CA, "--send-credentials-to", "{https}", *TOKEN, "{url}/o"), ("https-required",), True, (KEY,)),
    Case("ipv6", lambda: serve(wants(basic("alice", "s3cret-Pw")), host="::1"), ("-u", "alice:s3cret-Pw ", "{url}/p"), ("stray-whitespace",), True),
    Case("unix-socket", on_socket, ("--unix-socket", "{socket}", "-H", f"Authorization: Bearer Bearer {KEY}", "http://localhost/p"), ("malformed-authorization",), True, (KEY,)),
    Case("resolve", lambda: serve(wants(f"Bearer {KEY}", "Bearer")), ("--resolve", "api.example:{port}:127.0.0.1", "-H", f"Authorization: Token {KEY}", "http://api.example:{port}/p"), ("wrong-scheme",), True, (KEY,)),
]  # fmt: skip


@params(CASES)
def test_a_fault_of_the_transport(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)


SOUND = [
    Case("certificate-good", secure("ssl_verify_client on;"), (*CA, "--cert", "{certs}/good.pem", "--key", "{certs}/good.key", "{url}/p"), ("not-an-auth-error",), False),
    Case("http2-good", secure(location=BASIC), (*CA, *ALICE, "{url}/p"), ("not-an-auth-error",), False),
    Case("handshake-good", strict, (*CA, "--cert", "{certs}/good.both", "{url}/p"), ("not-an-auth-error",), False),
    Case("ipv6-good", lambda: serve(GUARDED, host="::1"), (*TOKEN, "{url}/p"), ("not-an-auth-error",), False),
    Case("socket-good", on_socket, ("--unix-socket", "{socket}", *TOKEN, "http://localhost/p"), ("not-an-auth-error",), False),
]  # fmt: skip


@params(SOUND)
def test_a_sound_transport(case: Case, record_property: Callable[[str, object], None]) -> None:
    examine(case, record_property)


SILENT = [
    ("reset", lambda: answers_raw(b"", reset=True), ()),
    ("closed", lambda: answers_raw(b""), ()),
    ("no-http", lambda: answers_raw(b"SSH-2.0-OpenSSH_9.6\r\n"), ()),
    ("slow", lambda: answers_raw(b"HTTP/1.1 401 no\r\n\r\n", wait=3.0), ("-m", "0.4")),
    ("tls-for-plain", lambda: serve(GUARDED), ()),
]


@pytest.mark.parametrize(("name", "start", "more"), SILENT, ids=[row[0] for row in SILENT])
def test_a_server_that_cannot_be_asked(
    name: str, start: Callable[[], AbstractContextManager[Site]], more: tuple[str, ...]
) -> None:
    with start() as site:
        url = site.url.replace("http:", "https:") if name == "tls-for-plain" else site.url
        result = ask(*more, *TOKEN, f"{url}/o")
    assert result.status == 3
    assert result.report["unreachable"]
    assert result.first["id"] in ("not-an-auth-error", None)
    assert KEY not in result.text


def test_a_body_that_breaks_off_is_read_as_far_as_it_came() -> None:
    head = b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 5000\r\nWWW-Authenticate: Bearer error="invalid_token", error_description="The token expired"\r\n\r\nshort'
    with answers_raw(head) as site:
        result = ask("-m", "1", *TOKEN, f"{site.url}/o")
    assert (result.first["id"], result.status) == ("token-expired", 1)
