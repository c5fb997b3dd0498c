"""Checks of the client certificates: the server asks for one in the TLS handshake (RFC 8446, section 4.3.2).

What the server is set to want and what the handshake shows; `protocol_certificate_dates` looks at the dates.
"""

# A table of patterns is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from why401.checks import check
from why401.checks import protocol_certificate_dates as protocol_certificate_dates  # registers its checks
from why401.checks.credentials_offers import troubled, where
from why401.evidence import Evidence
from why401.findings import FAINT, HINT, Finding

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
