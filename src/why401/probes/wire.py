"""Sending through libcurl, with every leg recorded.

libcurl answers a Digest, NTLM or Negotiate challenge within one transfer. Its debug callback shows each leg's
head as it goes out and comes in, so the record holds what was really sent, not what was meant.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pycurl

from why401.evidence import Exchange, Field, Fields, Request, Response, Source
from why401.probes.ask import Ask, without_userinfo

BODY_KEPT = 64_000  # bytes of a response body that are looked at
TIMEOUT = 30
MOST_LEGS = 3  # of one transfer: anonymous, answer to the challenge, once more for a stale nonce
LIVE = Source("live", live=True)

_AUTH = {
    "basic": pycurl.HTTPAUTH_BASIC,
    "digest": pycurl.HTTPAUTH_DIGEST,
    "ntlm": pycurl.HTTPAUTH_NTLM,
    "negotiate": pycurl.HTTPAUTH_NEGOTIATE,
    "anyauth": pycurl.HTTPAUTH_ANY,
}
_HTTPAUTH_BEARER = 1 << 6  # CURLAUTH_BEARER in curl/curl.h; pycurl has no name for it
_PROXY_AUTH = {f"proxy-{name}": value for name, value in _AUTH.items()}
_VERSIONS = {
    "http1.0": pycurl.CURL_HTTP_VERSION_1_0,
    "http1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "http2": pycurl.CURL_HTTP_VERSION_2_0,
    "http2-prior-knowledge": pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    "http3": pycurl.CURL_HTTP_VERSION_3,
    "http3-only": getattr(pycurl, "CURL_HTTP_VERSION_3ONLY", pycurl.CURL_HTTP_VERSION_3),
}
_TLS = re.compile(
    r"(?i)Request CERT \(|\balert\b|certificate (?:required|expired)|unknown ca|bad certificate"
)
#: curl's long options that say how to reach the server: libcurl's option, and how to make its value.
_TRANSPORT: dict[str, tuple[int, Callable[[str], object]]] = {
    "proxy": (pycurl.PROXY, str),
    "proxy-user": (pycurl.PROXYUSERPWD, str),
    "noproxy": (pycurl.NOPROXY, str),
    "cert": (pycurl.SSLCERT, str),
    "cert-type": (pycurl.SSLCERTTYPE, str),
    "key": (pycurl.SSLKEY, str),
    "pass": (pycurl.KEYPASSWD, str),
    "cacert": (pycurl.CAINFO, str),
    "capath": (pycurl.CAPATH, str),
    "resolve": (pycurl.RESOLVE, lambda value: value.split("\n")),
    "connect-to": (pycurl.CONNECT_TO, lambda value: value.split("\n")),
    "unix-socket": (pycurl.UNIX_SOCKET_PATH, str),
    "interface": (pycurl.INTERFACE, str),
    "connect-timeout": (pycurl.CONNECTTIMEOUT_MS, lambda value: int(float(value) * 1000)),
    "max-time": (pycurl.TIMEOUT_MS, lambda value: int(float(value) * 1000)),
    "ciphers": (pycurl.SSL_CIPHER_LIST, str),
    "service-name": (pycurl.SERVICE_NAME, str),
    "request-target": (pycurl.REQUEST_TARGET, str),
    "ipv4": (pycurl.IPRESOLVE, lambda _: pycurl.IPRESOLVE_V4),
    "ipv6": (pycurl.IPRESOLVE, lambda _: pycurl.IPRESOLVE_V6),
    "path-as-is": (pycurl.PATH_AS_IS, lambda _: 1),
    "proxy-header": (pycurl.PROXYHEADER, lambda value: value.split("\n")),
    "proxytunnel": (pycurl.HTTPPROXYTUNNEL, lambda _: 1),
}


class Unreachable(Exception):
    """The target could not be reached; the message is one sentence for the user, `notes` what libcurl said."""

    def __init__(self, says: str, notes: tuple[str, ...] = ()) -> None:
        super().__init__(says)
        self.notes = notes


@dataclass
class _Leg:
    head: bytes = b""
    answer: list[bytes] = field(default_factory=list)
    body: bytes = b""
    time: datetime = field(default_factory=lambda: datetime.now(UTC))


class _Recorder:
    """Takes libcurl's debug stream apart into legs: a head that goes out begins a new one."""

    def __init__(self) -> None:
        self.legs: list[_Leg] = []
        self.notes: list[str] = []
        self.sink = _Sink()

    def goes_on(self, line: bytes) -> int:
        """Called with each line of an answer; 0 ends it: a client that answers stale nonces goes on for ever."""
        return len(line) if len(self.legs) <= MOST_LEGS else 0

    def debug(self, kind: int, data: bytes) -> None:
        if kind == pycurl.INFOTYPE_TEXT:
            self._note(data.decode("utf-8", "replace").strip())
        elif kind == pycurl.INFOTYPE_HEADER_OUT:
            self.legs.append(_Leg(head=data))
        elif not self.legs:
            return
        elif kind == pycurl.INFOTYPE_HEADER_IN:
            self._header(data)
        elif kind == pycurl.INFOTYPE_DATA_IN and len(self.legs[-1].body) < BODY_KEPT:
            self.legs[-1].body += data

    def answered(self) -> list[_Leg]:
        """The legs that were answered; of those that only open a tunnel, the last where it was refused."""
        legs = [leg for leg in self.legs if leg.answer and leg.answer[0].startswith(b"HTTP/")]
        if legs and self.sink.body:  # decoded; what was recorded is as it came, compressed and in chunks
            legs[-1].body = self.sink.body
        return [leg for leg in legs if leg is legs[-1] or not leg.head.startswith(b"CONNECT ")]

    def opened_only(self) -> bool:
        """Whether all that came is the tunnel of a proxy, opened."""
        last = self.answered()[-1]
        return last.head.startswith(b"CONNECT ") and b" 200" in last.answer[0]

    def _note(self, text: str) -> None:
        """Keep what curl tells of TLS: whether a client certificate was asked for, and why it failed."""
        if len(self.notes) < 40 and _TLS.search(text):
            self.notes.append(text)

    def _header(self, line: bytes) -> None:
        leg = self.legs[-1]
        if line.startswith(b"HTTP/") and leg.answer:  # after 100 Continue or 103 the real answer follows
            leg.answer = []
        leg.answer.append(line)


def never() -> bool:
    """The default of `stop`: nobody asks to stop."""
    return False


#: Where a program sends requests for others: whether a resolved address may be connected to. None: all may.
guard: Callable[[str], bool] | None = None


def _guarded(allows: Callable[[str], bool]) -> Callable[[int, Any], Any]:
    """libcurl asks for a socket with the very address it is going to connect to, so no second look-up can differ."""

    def opened(purpose: int, address: Any) -> Any:
        del purpose
        if not allows(address.addr[0] if isinstance(address.addr, tuple) else address.addr):
            return pycurl.SOCKET_BAD
        return socket.socket(address.family, address.socktype, address.protocol)

    return opened


def send(
    ask: Ask, *, number: int = 1, stop: Callable[[], bool] = never, notes: list[str] | None = None
) -> tuple[Exchange, ...]:
    """Send one request (no redirect is followed) and return its legs, numbered from `number`.

    `notes` takes what libcurl tells of TLS. Raises `Unreachable` where no HTTP answer came.
    `stop` is asked while waiting; True ends the transfer.
    """
    recorder = _Recorder()
    handle = pycurl.Curl()
    try:
        _prepare(handle, ask, recorder)
        if guard is not None:
            handle.setopt(pycurl.OPENSOCKETFUNCTION, _guarded(guard))
        handle.setopt(pycurl.NOPROGRESS, 0)
        handle.setopt(pycurl.XFERINFOFUNCTION, _progress(stop))
        try:
            handle.perform()
        except pycurl.error as problem:
            if not recorder.answered() or recorder.opened_only():
                raise Unreachable(_sentence(ask, problem), (*recorder.notes, _why(problem))) from None
        if notes is not None:
            notes += recorder.notes
        return tuple(_exchange(ask, leg, number + index) for index, leg in enumerate(recorder.answered()))
    finally:
        handle.close()


def _prepare(handle: pycurl.Curl, ask: Ask, recorder: _Recorder) -> None:
    handle.setopt(pycurl.URL, ask.url)
    handle.setopt(pycurl.NOSIGNAL, 1)
    handle.setopt(pycurl.VERBOSE, 1)
    handle.setopt(pycurl.DEBUGFUNCTION, recorder.debug)
    handle.setopt(pycurl.HEADERFUNCTION, recorder.goes_on)
    handle.setopt(pycurl.WRITEFUNCTION, recorder.sink)
    handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    handle.setopt(pycurl.TIMEOUT, TIMEOUT)
    handle.setopt(pycurl.CONNECTTIMEOUT, 10)
    handle.setopt(pycurl.ACCEPT_ENCODING, "")
    _method(handle, ask)
    fields = [f"{name}: {value}" if value else f"{name};" for name, value in ask.fields]
    fields += [f"{name}:" for name in ask.removed]
    if ask.get("user-agent") is None and "user-agent" not in ask.removed:
        handle.setopt(pycurl.USERAGENT, f"curl/{pycurl.version_info()[1]}")
    handle.setopt(pycurl.HTTPHEADER, [line.encode("utf-8", "surrogateescape") for line in fields])
    if ask.user:
        handle.setopt(pycurl.USERPWD, ask.user.reveal().encode("utf-8", "surrogateescape"))
        handle.setopt(pycurl.HTTPAUTH, _AUTH.get(ask.auth, pycurl.HTTPAUTH_BASIC))
    if ask.bearer:
        handle.setopt(pycurl.XOAUTH2_BEARER, ask.bearer.reveal())
        handle.setopt(pycurl.HTTPAUTH, _HTTPAUTH_BEARER)
    if ask.aws_sigv4:
        handle.setopt(pycurl.AWS_SIGV4, ask.aws_sigv4)
    for option, value in ask.transport:
        _transport(handle, option, value)


def _method(handle: pycurl.Curl, ask: Ask) -> None:
    method = ask.method.upper()
    if method == "HEAD":
        handle.setopt(pycurl.NOBODY, 1)
    elif ask.body is not None:
        handle.setopt(pycurl.POSTFIELDS, ask.body)
        handle.setopt(pycurl.CUSTOMREQUEST, method)
    elif method != "GET":
        handle.setopt(pycurl.CUSTOMREQUEST, method)


def _transport(handle: pycurl.Curl, option: str, value: str) -> None:
    if option in _TRANSPORT:
        number, convert = _TRANSPORT[option]
        handle.setopt(number, convert(value))
    elif option in _VERSIONS:
        handle.setopt(pycurl.HTTP_VERSION, _VERSIONS[option])
    elif option in _PROXY_AUTH:
        handle.setopt(pycurl.PROXYAUTH, _PROXY_AUTH[option])
    elif option == "insecure":
        handle.setopt(pycurl.SSL_VERIFYPEER, 0)
        handle.setopt(pycurl.SSL_VERIFYHOST, 0)
    elif option in ("netrc", "netrc-optional", "netrc-file"):
        handle.setopt(pycurl.NETRC, pycurl.NETRC_OPTIONAL if option != "netrc" else pycurl.NETRC_REQUIRED)
        if value and option == "netrc-file":
            handle.setopt(pycurl.NETRC_FILE, value)


def _progress(stop: Callable[[], bool]) -> Callable[..., int]:
    """libcurl calls this about once a second and between packets: the way out of a transfer on Ctrl-C."""
    return lambda *_: int(stop())


class _Sink:
    """Keeps the beginning of the decoded body and stops the transfer where no more of it is looked at."""

    def __init__(self) -> None:
        self._seen = 0
        self.body = b""

    def __call__(self, data: bytes) -> int:
        self._seen += len(data)
        if len(self.body) < BODY_KEPT:
            self.body += data
        return len(data) if self._seen < 4 * BODY_KEPT else 0


def _exchange(ask: Ask, leg: _Leg, number: int) -> Exchange:
    request_line, fields = _head(leg.head)
    words = request_line.split(" ")
    status_line, answer = _head(b"".join(leg.answer))
    version, _, rest = status_line.partition(" ")
    status, _, reason = rest.strip().partition(" ")
    request = Request(words[0], without_userinfo(ask.url), fields, _text(ask.body), words[-1])
    response = Response(
        int(status) if status.isdigit() else None, reason.strip(), answer, _text(leg.body), version
    )
    return Exchange(number, request, response, LIVE, leg.time, client="why401")


def _head(data: bytes) -> tuple[str, Fields]:
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")
    pairs = (line.partition(":") for line in lines[1:] if ":" in line and line[:1] not in " \t:")
    return lines[0], Fields(tuple(Field.of(name, value.strip(" \t")) for name, _, value in pairs))


def _text(data: bytes | None) -> str | None:
    return None if data is None else data[:BODY_KEPT].decode("utf-8", "replace")


#: libcurl's error numbers in a user's words; `{host}` is the host, `{why}` libcurl's own message.
_WEIRD_SERVER_REPLY = 8  # CURLE_WEIRD_SERVER_REPLY, for which pycurl has no name
_SENTENCES = {
    pycurl.E_COULDNT_RESOLVE_HOST: "The name {host} cannot be resolved; check its spelling and the DNS.",
    pycurl.E_COULDNT_RESOLVE_PROXY: "The proxy's name could not be resolved ({why}).",
    pycurl.E_COULDNT_CONNECT: "No connection to {host} ({why}); is the server running, and the port right?",
    pycurl.E_OPERATION_TIMEDOUT: "{host} did not answer in time ({why}).",
    pycurl.E_PEER_FAILED_VERIFICATION: "The certificate of {host} is not trusted ({why}); see --cacert.",
    pycurl.E_SSL_CONNECT_ERROR: "TLS with {host} failed ({why}).",
    pycurl.E_URL_MALFORMAT: "The URL cannot be read ({why}).",
    pycurl.E_ABORTED_BY_CALLBACK: "Stopped before {host} had answered.",
    _WEIRD_SERVER_REPLY: "What {host} answered is no HTTP ({why}); is the port right?",
    pycurl.E_UNSUPPORTED_PROTOCOL: "Only http and https are spoken here ({why}).",
    pycurl.E_RECV_ERROR: "The connection to {host} broke before an answer came ({why}).",
    pycurl.E_GOT_NOTHING: "{host} closed the connection without an answer.",
}


def _why(problem: pycurl.error) -> str:
    return str(problem.args[1] if len(problem.args) > 1 else "")


def _sentence(ask: Ask, problem: pycurl.error) -> str:
    code, why = problem.args[0], _why(problem)
    code = _WEIRD_SERVER_REPLY if "HTTP/0.9" in why else code
    form = _SENTENCES.get(int(code), "{host} could not be asked ({why}).")
    return form.format(host=ask.origin[1] or ask.url, why=why.rstrip("."))
