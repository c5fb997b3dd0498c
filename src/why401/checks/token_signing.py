"""Requests that carry a signature of themselves: AWS SigV4, OAuth 1.0, HMAC schemes.

What was signed and what was sent must be the same to the last character: host and port, path, query, date, body.
"""

# Patterns and sentences are read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

import re
from collections.abc import Iterator

from why401.checks import check
from why401.checks.token_facts import Facts
from why401.evidence import Evidence
from why401.findings import HINT, Finding, Where
from why401.protocol.identifiers import near

_SITE = r"\b(?:home|site|store|shop|base|wordpress|woocommerce|public|app)[-_ ]?(?:url|address)[\"']?\s*(?:[:=(,]|=>)+\s*[\"']?(https?://[^\s\"'<>,;)]+)"
_MISMATCH = r"SignatureDoesNotMatch|signature (?:we calculated )?does not match|invalid signature|signature_invalid|signature mismatch|InvalidSignature|MAC signature"


@check
def aws(evidence: Evidence) -> Iterator[Finding]:
    """SigV4: the default port in the signed host, a scope for another region than the host's."""
    facts = Facts(evidence)
    if not facts.says(r"AWS4-HMAC-SHA256|x-amz-|SignatureDoesNotMatch|canonical.?request|\bs3\b|minio|sigv4"):
        return
    port = facts.says(
        r"host:[\w.-]+:(?:80|443)\b|(?:endpoint|host)\w*[\"']?\s*[:=]\s*[\"']?(?:http://[\w.-]+:80|https://[\w.-]+:443)\b"
    )
    if port and facts.says(_MISMATCH):
        says = "The signed host has the scheme's default port, which the other side leaves out of Host."
        fix = "Write the endpoint without its default port."
        yield Finding(
            "sigv4-default-port", says, {"request-signature-mismatch": 12.0}, port, "sigv4-host", fix=fix
        )
    scope = evidence.search(
        r"Credential=[\w/+]*?/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)/aws4_request"
    )
    host = evidence.search(
        r"\b(?P<service>[a-z0-9-]+)\.(?P<region>[a-z]{2}(?:-gov)?-[a-z]+-\d)\.amazonaws\.com"
    )
    if scope and host and scope[0]["region"] != host[0]["region"]:
        says = f"The signature is for the region {scope[0]['region']}, the host is in {host[0]['region']}."
        weights = {"request-signature-mismatch": 17.0, "wrong-environment": 6.0}
        yield Finding("sigv4-region", says, weights, Where.of(scope[1]), "sigv4-scope")
    extra = facts.says(r"pre-?signed|getSignedUrl|generate_presigned|X-Amz-SignedHeaders|GetPreSignedURL")
    field = facts.says(r"content-type|x-amz-acl|x-amz-meta|cache-control|content-md5|checksum")
    if extra and field and facts.says(_MISMATCH):
        says = "A presigned URL is used with a field that was not signed with it (or the reverse)."
        yield Finding("presigned-field", says, {"request-signature-mismatch": 12.0}, extra, "sigv4-field")
    proxy = facts.says(
        r"proxy_set_header\s+Host\s+(?:\$proxy_host|\S+;)|(?:reverse proxy|nginx|traefik|cloudflare|behind a proxy|haproxy|apache)\b[^\n]{0,80}(?:minio|s3)|(?:minio|s3)\b[^\n]{0,80}(?:reverse proxy|nginx|traefik|cloudflare|haproxy)|changePrefix|stripPrefix|rewrite \^"
    )
    if proxy and facts.says(_MISMATCH):
        says = "A proxy stands between: if it changes Host, path or a signed field, the signature no longer fits."
        yield Finding("signature-through-proxy", says, {"request-signature-mismatch": 8.0}, proxy)


@check
def oauth1(evidence: Evidence) -> Iterator[Finding]:
    """OAuth 1.0: the signature covers scheme, host and path, so the site's address must be exactly the one called."""
    facts = Facts(evidence)
    signed = facts.says(r"oauth_signature=|oauth_signature_method|OAuth oauth_|oauth_consumer_key")
    if signed is None:
        return
    yield Finding(
        "oauth1-signed",
        "The request is signed with OAuth 1.0.",
        {"request-signature-mismatch": HINT},
        signed,
        "oauth1",
    )
    site = evidence.search(_SITE)
    for exchange in evidence.exchanges:
        host = (exchange.request.host or "").lower()
        if not site or not host:
            continue
        address = re.sub(r"^https?://", "", site[0].group(1).lower()).split("/")[0]
        scheme = site[0].group(1).split(":")[0].lower()
        called = (
            (exchange.request.url or "").split("://")[0].lower()
            if "://" in (exchange.request.url or "")
            else ""
        )
        if address != host and address.removeprefix("www.") == host.removeprefix("www."):
            says = f"The request is signed for {host}, and the site's address is {address}."
        elif called and called != scheme and address == host:
            says = f"The request is signed for {called}, and the site's address is {scheme}."
        else:
            continue
        yield Finding(
            "oauth1-address", says, {"request-signature-mismatch": 16.0}, Where.of(site[1]), "oauth1-address"
        )
        return
    urls = {m for text in evidence.texts for m in re.findall(r"https?://[\w.:-]+/wp-json", text.content)}
    pairs = [(a, b) for a in urls for b in urls if a < b and near(a, b) in ("scheme", "host", "port")]
    if pairs:
        says = "The API is named with two addresses that differ in scheme or host; the signature covers both."
        yield Finding(
            "oauth1-two-addresses", says, {"request-signature-mismatch": 8.0}, signed, "oauth1-address"
        )


@check
def hmac_code(evidence: Evidence) -> Iterator[Finding]:
    """Code that signs a request: what commonly differs from what is sent."""
    facts = Facts(evidence)
    made = facts.says(
        r"createHmac\(|hmac\.new\(|hash_hmac\(|Mac\.getInstance\(|HMACSHA(?:1|256|512)\(|OpenSSL::HMAC|hmac\.New\(|crypto\.subtle\.sign|CryptoJS\.Hmac"
    )
    if made is None or facts.says(r"jwt\.(?:sign|encode|decode|verify)|jsonwebtoken"):
        return
    weight = 11.0 if facts.says(r"signature|x-[\w-]*sign|hmac") else 5.0
    yield Finding(
        "request-signed-in-code",
        "Code signs the request itself.",
        {"request-signature-mismatch": weight},
        made,
        "hmac-code",
    )
    reparsed = facts.says(
        r"(?:createHmac|hash_hmac|hmac\.new)[\s\S]{0,300}(?:JSON\.stringify\((?:req\.|request\.)?body|json\.dumps\(|json_encode\()"
    )
    if reparsed:
        says = "The body that is signed is serialised again, and need not be the one that is sent, byte for byte."
        yield Finding("signed-body-serialised-again", says, {"request-signature-mismatch": 9.0}, reparsed)
