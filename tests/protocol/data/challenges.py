"""Challenges and how a recipient has to read them (RFC 9110, sections 5.6.1.2 and 11).

Each row: the field values, and the challenges as (scheme, token68, params), or None for an invalid field.
"""

# A table is read by the line.

from __future__ import annotations

Row = tuple[list[str], list[tuple[str, str | None, dict[str, str]]] | None]

ROWS: list[Row] = [
    # the examples of the standards
    (['Basic realm="WallyWorld"'], [("Basic", None, {"realm": "WallyWorld"})]),
    (['Basic realm="foo", charset="UTF-8"'], [("Basic", None, {"realm": "foo", "charset": "UTF-8"})]),
    (
        ['Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""'],
        [
            ("Basic", None, {"realm": "simple"}),
            ("Newauth", None, {"realm": "apps", "type": "1", "title": 'Login to "apps"'}),
        ],
    ),
    (
        ['Bearer realm="example", error="invalid_token", error_description="The access token expired"'],
        [
            (
                "Bearer",
                None,
                {
                    "realm": "example",
                    "error": "invalid_token",
                    "error_description": "The access token expired",
                },
            )
        ],
    ),
    (['DPoP algs="ES256 PS256"'], [("DPoP", None, {"algs": "ES256 PS256"})]),
    # several challenges, and where the border lies
    (["Negotiate", "NTLM"], [("Negotiate", None, {}), ("NTLM", None, {})]),
    (["Negotiate, NTLM"], [("Negotiate", None, {}), ("NTLM", None, {})]),
    (["Negotiate YII=, NTLM"], [("Negotiate", "YII=", {}), ("NTLM", None, {})]),
    (["one two, three"], [("one", "two", {}), ("three", None, {})]),
    (["A b=c, D e=f, G"], [("A", None, {"b": "c"}), ("D", None, {"e": "f"}), ("G", None, {})]),
    # empty elements
    ([""], []),
    ([" , ,"], []),
    ([",,Basic realm=x,,"], [("Basic", None, {"realm": "x"})]),
    (["Basic , realm=x"], [("Basic", None, {"realm": "x"})]),
    (["Basic , , ,realm=x, , y=z"], [("Basic", None, {"realm": "x", "y": "z"})]),
    # token68 against parameter
    (["Bearer realm="], [("Bearer", "realm=", {})]),
    (["Scheme a=="], [("Scheme", "a==", {})]),
    (["Scheme a=b"], [("Scheme", None, {"a": "b"})]),
    (["Scheme a-b._~+/="], [("Scheme", "a-b._~+/=", {})]),
    # white space and folding
    (['Basic realm \t=\t "x" \t'], [("Basic", None, {"realm": "x"})]),
    (
        ['Basic\r\n\trealm="x",\r\n  y=z'.replace("\r\n\trealm", "\r\n realm")],
        [("Basic", None, {"realm": "x", "y": "z"})],
    ),
    (["Basic     realm=x"], [("Basic", None, {"realm": "x"})]),
    # names ignore case, values do not
    (['BASIC REALM="X"'], [("BASIC", None, {"realm": "X"})]),
    # quoting
    (['A b="c, D e=f"'], [("A", None, {"b": "c, D e=f"})]),
    (['A b="\\\\"'], [("A", None, {"b": "\\"})]),
    (['A b=""'], [("A", None, {"b": ""})]),
    (['A b="tab\there"'], [("A", None, {"b": "tab\there"})]),
    (["A b='c'"], [("A", None, {"b": "'c'"})]),
    (['A b="\u00e9"'], [("A", None, {"b": "\u00e9"})]),
    (["%%% x=y"], [("%%%", None, {"x": "y"})]),
    # invalid
    (['Basic, realm="x"'], None),
    (["realm=x"], None),
    (["Basic="], None),
    (["A = b"], None),
    (["A b c"], None),
    (["A b=c d=e"], None),
    (["A b=c d"], None),
    (['A b="c" d="e"'], None),
    (['A b="c'], None),
    (['A b="c\\"'], None),
    (['A "b"'], None),
    (["A b="[:-1] + "=, c=d"], None),
    (["A b=c, d="], None),
    (["A b=c, B=d, b=e"], None),
    (["A b=\\c"], None),
    (['A b=c"d'], None),
    (["A b=c; d=e"], None),
    (["\u6f22"], None),
    (["A\rB c=d"], None),
    (['A b="c\x00d"'], None),
    (["A b=c, \x00"], None),
    (["A abc, b=c"], None),
    (["@"], None),
]
