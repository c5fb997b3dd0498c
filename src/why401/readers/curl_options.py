"""curl's options: which take a value, and what they set. Source: curl(1), `curl --help all` of 8.10."""

from __future__ import annotations

from typing import Final


def _set(words: str) -> frozenset[str]:
    """The words of a text, for tables that read as text."""
    return frozenset(words.split())


#: One-letter options and their long names.
SHORT: Final = {
    "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6", ":": "next",
    "a": "append", "A": "user-agent", "b": "cookie", "B": "use-ascii", "c": "cookie-jar", "C": "continue-at",
    "d": "data", "D": "dump-header", "e": "referer", "E": "cert", "f": "fail", "F": "form", "g": "globoff",
    "G": "get", "h": "help", "H": "header", "i": "include", "I": "head", "j": "junk-session-cookies",
    "J": "remote-header-name", "k": "insecure", "K": "config", "l": "list-only", "L": "location",
    "m": "max-time", "M": "manual", "n": "netrc", "N": "no-buffer", "o": "output", "O": "remote-name",
    "p": "proxytunnel", "P": "ftp-port", "q": "disable", "Q": "quote", "r": "range", "R": "remote-time",
    "s": "silent", "S": "show-error", "t": "telnet-option", "T": "upload-file", "u": "user",
    "U": "proxy-user", "v": "verbose", "V": "version", "w": "write-out", "x": "proxy", "X": "request",
    "y": "speed-time", "Y": "speed-limit", "z": "time-cond", "Z": "parallel", "#": "progress-bar",
}  # fmt: skip

#: Long options that take a value.
VALUED: Final = _set(
    """
    abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout
    connect-to continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary
    data-raw data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url
    dump-ca-embed dump-header ech egd-file engine etag-compare etag-save expect100-timeout form
    form-string ftp-account ftp-alternative-to-user ftp-method ftp-port ftp-ssl-ccc-mode
    haproxy-clientip happy-eyeballs-timeout-ms header help hostpubmd5 hostpubsha256 hsts interface
    ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port
    login-options mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy
    oauth2-bearer output output-dir parallel-max pass pinnedpubkey postdata preproxy proto proto-default
    proto-redir proxy proxy-cacert proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile
    proxy-header proxy-key proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name
    proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser proxy-user proxy1.0 pubkey
    quote random-file range rate referer request request-target resolve retry retry-delay retry-max-time
    sasl-authzid service-name socks4 socks4a socks5 socks5-gssapi-service socks5-hostname speed-limit
    speed-time stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers tlsauthtype tlspassword
    tlsuser trace trace-ascii trace-config unix-socket upload-file url url-query user user-agent
    variable vlan-priority write-out
    """
)

#: Long options without a value that are known; `--no-x` turns each off.
SWITCHES: Final = _set(
    """
    anyauth append basic ca-native cert-status compressed compressed-ssh create-dirs crlf digest disable
    disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure fail fail-early
    fail-with-body false-start ftp-create-dirs ftp-pasv ftp-skip-pasv-ip ftp-pret ftp-ssl-ccc
    ftp-ssl-control form-escape get globoff haproxy-protocol head http0.9 http1.0 http1.1 http2
    http2-prior-knowledge http3 http3-only ignore-content-length include insecure ipv4 ipv6
    junk-session-cookies keepalive list-only location location-trusted manual metalink mptcp negotiate
    netrc netrc-optional next no-alpn no-buffer no-clobber no-keepalive no-npn no-progress-meter
    no-sessionid npn alpn ntlm ntlm-wb parallel parallel-immediate path-as-is post301 post302 post303
    progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2
    proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert
    proxy-tlsv1 proxytunnel raw remote-header-name remote-name remote-name-all remote-time
    remove-on-error retry-all-errors retry-connrefused sasl-ir show-error show-headers silent
    skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert
    ssl-no-revoke ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers
    tcp-fastopen tcp-nodelay tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3
    tr-encoding trace-ids trace-time use-ascii verbose version xattr buffer clobber sessionid
    """
)

#: Short for "takes no value": everything that is no value option.
SHORT_VALUED: Final = frozenset(letter for letter, name in SHORT.items() if name in VALUED and letter != "h")

#: Options that choose how to authenticate, and the scheme's name.
AUTH: Final = {
    "basic": "basic", "digest": "digest", "ntlm": "ntlm", "ntlm-wb": "ntlm", "negotiate": "negotiate",
    "anyauth": "anyauth",
}  # fmt: skip
PROXY_AUTH: Final = {f"proxy-{name}": kind for name, kind in AUTH.items()}

VERSIONS: Final = {
    "http0.9": "0.9", "http1.0": "1.0", "http1.1": "1.1", "http2": "2", "http2-prior-knowledge": "2",
    "http3": "3", "http3-only": "3",
}  # fmt: skip


def long_name(word: str) -> str | None:
    """The option that `word` (without dashes) names; curl accepted unique beginnings until 8.10."""
    if word in VALUED or word in SWITCHES:
        return word
    if len(word) < 3:
        return None
    found = [name for name in (*VALUED, *SWITCHES) if name.startswith(word)]
    return found[0] if len(found) == 1 else None
