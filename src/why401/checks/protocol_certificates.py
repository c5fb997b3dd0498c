"""Checks of the client certificates: the server asks for one in the TLS handshake (RFC 8446, section 4.3.2).

What the server is set to want, what the handshake shows, and the dates of the certificate that was sent.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from why401.checks import check
from why401.checks.credentials_offers import troubled, where
from why401.evidence import Evidence
from why401.findings import FAINT, HINT, RULED_OUT, Finding, Where
from why401.prefilter import lazy

# Where a server is told to want a client certificate.
_WANTS_CERTIFICATE = (
    r"(?m)^\s*ssl_verify_client\s+on|^\s*SSLVerifyClient\s+require|clientAuth\s*[=:]\s*[\"']?(?:true|need|require)|client-auth\s*[:=]\s*need|auth-tls-verify-client:\s*[\"']?on|RequireAndVerifyClientCert|RequireAnyClientCert"
    r"|ClientCertificateMode\.RequireCertificate|requestCert\s*:\s*true|require_and_verify|client_auth_type\s*[:=]\s*[\"']?[Rr]equire|verify\s+required|mtls-auth|AddCertificate\(|CertificateAuthenticationDefaults|\.x509\(|ca-file .*verify required|certificateVerification=[\"']required"
)


@check
def certificate_wanted(evidence: Evidence) -> Iterator[Finding]:
    """The server asks for a client certificate, and the client's command shows none."""
    if not troubled(evidence) and not evidence.search(r"\b400\b|handshake"):
        return
    shown = evidence.search(
        r"--cert\b|(?:^|\s)-E\s|client[-_]certificate(?:-data)?\b|\.p12\b|\.pfx\b|keyStore|ssl_certificate_key|proxy_ssl_certificate\b|cert=\(|ClientCertificates"
    )
    wants = where(evidence, _WANTS_CERTIFICATE)
    if wants:
        says = "The server is set to want a TLS client certificate."
        yield Finding(
            "certificate-wanted",
            says,
            {"client-certificate-missing": HINT if shown else 14.0, "client-certificate-expired": FAINT},
            wants[1],
            group="certificate",
        )
    asked_for = where(
        evidence, r"Request CERT \(13\)|Acceptable client certificate CA names|CertificateRequest\b"
    )
    if asked_for and not evidence.succeeded:
        says = "In the TLS handshake the server asked for a client certificate."
        yield Finding(
            "certificate-asked",
            says,
            {
                "client-certificate-missing": 8.0 if shown else 15.0,
                "client-certificate-expired": 6.0 if shown else 2.0,
            },
            asked_for[1],
            group="certificate",
        )


_NOT_AFTER = lazy(
    r"(?i)not ?after\s*[=:]\s*\(?\"?((?:[A-Z][a-z]{2} +\d{1,2} [\d:]+ \d{4}(?: GMT)?)|\d{4}-\d\d-\d\d[T ][\d:]+)"
)
_CLIENTS_OWN = lazy(r"(?i)client|kube|user|\.p12|\.pfx|my\.|--cert|machine|agent|device")


@check
def certificate_dates(evidence: Evidence) -> Iterator[Finding]:
    """The end of a client certificate against the time of the request."""
    now = _time_of(evidence)
    for text in evidence.texts:
        for match in _NOT_AFTER.finditer(text.content):
            near = text.content[max(0, match.start() - 400) : match.start()] + text.source.name
            end = _date(match.group(1))
            if (
                end is None
                or now is None
                or not _CLIENTS_OWN.search(near)
                or "Server certificate:" in near[-200:]
            ):
                continue
            at = Where.of(text.source.at(text.line_at(match.start())))
            if end < now:
                says = f"The client certificate ended on {end:%Y-%m-%d}, before this request."
                yield Finding("certificate-ended", says, {"client-certificate-expired": 22.0}, at)
            else:
                says = f"The client certificate is good until {end:%Y-%m-%d}."
                yield Finding("certificate-good", says, {"client-certificate-expired": RULED_OUT}, at)
            return


def _date(text: str) -> datetime | None:
    text = re.sub(r" +", " ", text.replace(" GMT", ""))
    for form in ("%b %d %H:%M:%S %Y", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def _time_of(evidence: Evidence) -> datetime | None:
    """When it happened: by a Date field, an exchange, a log record, or a date in a terminal."""
    times: list[datetime | None] = [x.time for x in evidence.exchanges]
    times += [r.time for r in evidence.records]
    for match in re.finditer(
        r"(?im)^[<*\s]*date:\s*(\w{3}, \d\d \w{3} \d{4} [\d:]+ GMT)",
        "\n".join(t.content for t in evidence.texts),
    ):
        times.append(parsedate_to_datetime(match.group(1)))
    found = evidence.search(
        r"\b(20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d)|^[IEW](\d{4}) |\b[A-Z][a-z]{2} +([A-Z][a-z]{2} +\d+ [\d:]{8} )(?:UTC |GMT )?(20\d\d)"
    )
    if not any(times) and found:
        if found[0].group(1):
            times.append(_date(found[0].group(1).replace("T", " ")))
        elif found[0].group(3):
            times.append(_date(found[0].group(3) + found[0].group(4)))
    known = [t if t.tzinfo else t.replace(tzinfo=UTC) for t in times if t]
    return max(known, default=None)


@check
def one_year_later(evidence: Evidence) -> Iterator[Finding]:
    """A year after the installation: that is how long client certificates are made for."""
    found = where(
        evidence,
        r"(?:a|one|1|exactly) ?(?:full )?year (?:after|later|ago)|after (?:a|one|1|about a) year|365 days",
    )
    if found and evidence.search(r"kube|k3s|certificate|cluster|mtls"):
        says = "It began a year after the installation, when client certificates end."
        yield Finding("one-year-later", says, {"client-certificate-expired": 14.0}, found[1])
