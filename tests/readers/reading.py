"""What the tests of readers share: reading a text, and texts that try to break a reader."""

# A table of patterns or samples is read a line at a time, however long the line.
# ruff: noqa: E501

from __future__ import annotations

from types import ModuleType

from hypothesis import strategies as st

from why401.evidence import Evidence, Source

#: Pieces of the formats, to be put together in any order.
PIECES = st.sampled_from(
    [
        "GET /x HTTP/1.1", "HTTP/1.1 401 Unauthorized", "Host: h.example.com", "Authorization: Basic YTpi", "", " ", "\n", "{",
        "}", '{"status":401}', "$ curl -i -u a:b http://h/x", "curl -H 'a", 'curl "$T" \\', "> GET / HTTP/1.1", "< HTTP/2 401", "<",
        "* Connected to x", "--> POST http://h/ h2", "<-- 401 http://h/ (1ms)", "Request URL: http://h/", "Request Headers", "Status",
        "401", "401 200 401", "GET /a -> 401 {", "send: b'GET / HTTP/1.1\\r\\n'", "reply: 'HTTP/1.1 401 no'", "=> Send header, 8 bytes",
        "0000: GET / HTTP/1.1", "Cookie: a=b; c", "fetch(\"http://h/\", {\"headers\": {", "'", '"', "\\", "^", "`", "irm -Headers @{ a = 'b'",
        "http POST :80/x a=b", "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.x", "\t", "\x00", "é", "$(", "pairs: {GET / HTTP/1.1: null}{a: b}",
    ]
)  # fmt: skip
ANYTHING = st.one_of(
    st.text(), st.lists(PIECES).map("\n".join), st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join)
)


def told(reader: ModuleType, text: str, name: str = "message.txt") -> Evidence:
    """What `reader` makes of `text`, nothing where it does not recognise it."""
    found: Evidence = reader.read(text, Source(name)) if reader.sniff(name, text) else Evidence()
    return found
