"""Rules on IIS: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import base64

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited

NTLM = "Negotiate " + base64.b64encode(b"NTLMSSP\0\x01\0\0\0").decode()


def config(inner: str) -> str:
    return f"<configuration>\n{inner}\n</configuration>\n"


def server(inner: str) -> str:
    return config(
        f"<system.webServer><security><authentication>\n{inner}\n</authentication></security></system.webServer>"
    )


OFF = '<anonymousAuthentication enabled="false" />'
WINDOWS = '<windowsAuthentication enabled="true" />'
CORE = (
    '<system.webServer><handlers><add name="aspNetCore" path="*" verb="*" modules="AspNetCoreModuleV2" /></handlers>\n'
    '<aspNetCore processPath="dotnet" arguments=".\\shop.dll" hostingModel="inprocess"{} /></system.webServer>'
)


def test_nothing_to_log_in_by() -> None:
    fault = server(f'{OFF}\n<windowsAuthentication enabled="false" />')
    found = linted(web_dot_config=fault)["iis-no-scheme"]
    assert found.where.line == line_of(fault, "anonymousAuthentication")
    assert linted(web_dot_config=server(f"{OFF}\n{WINDOWS}")) == {}
    assert linted(web_dot_config=server(OFF)) == {}  # applicationHost.config may switch one on
    forms = '<system.web><authentication mode="Forms" /></system.web>'
    assert linted(web_dot_config=fault.replace("</configuration>", forms + "</configuration>")) == {}


def test_everybody_denied_first() -> None:
    rules = '<system.web><authorization>\n<deny users="*" />\n<allow roles="staff" />\n</authorization></system.web>'
    fault = config(rules)
    found = linted(web_dot_config=fault)["iis-denied-before-allowed"]
    assert found.where.line == line_of(fault, "<deny")
    mended = edited(found.edits[0].document, found.edits)
    assert mended.index("<allow") < mended.index("<deny")
    assert linted(web_dot_config=mended) == {}
    assert linted(web_dot_config=config(rules.replace('users="*"', 'users="?"'))) == {}


def test_module_of_a_scheme_removed() -> None:
    gone = '<system.webServer><modules>\n<remove name="WindowsAuthenticationModule" />\n</modules></system.webServer>'
    fault = server(WINDOWS).replace("</configuration>", gone + "\n</configuration>")
    found = linted(web_dot_config=fault)["iis-module-removed"]
    assert found.where.line == line_of(fault, "<remove")
    assert linted(web_dot_config=edited(found.edits[0].document, found.edits)) == {}
    assert linted(web_dot_config=config(gone)) == {}


def test_forms_without_its_module() -> None:
    gone = '<system.webServer><modules>\n<remove name="FormsAuthentication" />\n</modules></system.webServer>'
    forms = '<system.web><authentication mode="{}" /></system.web>'
    assert "iis-module-removed" in linted(web_dot_config=config(forms.format("Forms") + gone))
    assert linted(web_dot_config=config(forms.format("None") + gone)) == {}  # as templates of OWIN have it


def test_windows_login_before_a_token() -> None:
    fault = server(f"{OFF}\n{WINDOWS}").replace("</configuration>", CORE.format("") + "</configuration>")
    evidence = given(web_dot_config=fault)
    found = asked(evidence, "/api/orders", Authorization="Bearer abcdefghijkl")[
        "iis-login-before-application"
    ]
    assert (found.where.line, found.opens) == (line_of(fault, "anonymousAuthentication"), "/api/orders")
    assert 'enabled="true"' in found.edits[0].new[0]
    assert "iis-login-before-application" not in asked(evidence, "/api/orders", Authorization=NTLM)
    sound = given(web_dot_config=fault.replace(OFF, OFF.replace("false", "true")))
    assert "iis-login-before-application" not in asked(
        sound, "/api/orders", Authorization="Bearer abcdefghijkl"
    )


def test_windows_user_kept_from_the_application() -> None:
    fault = server(WINDOWS).replace(
        "</configuration>", CORE.format(' forwardWindowsAuthToken="false"') + "</configuration>"
    )
    found = asked(given(web_dot_config=fault), "/", Authorization=NTLM)["iis-windows-user-not-forwarded"]
    assert found.where.line == line_of(fault, "<aspNetCore")
    sound = given(web_dot_config=fault.replace('Token="false"', 'Token="true"'))
    assert "iis-windows-user-not-forwarded" not in asked(sound, "/", Authorization=NTLM)


def test_other_provider() -> None:
    listed = '<providers>\n<clear />\n<add value="{}" /></providers>'
    text = server(f'{OFF}\n<windowsAuthentication enabled="true">{listed}</windowsAuthentication>')
    kerberos = given(web_dot_config=text.format("Negotiate:Kerberos"))
    found = asked(kerberos, "/", Authorization=NTLM)["iis-other-provider"]
    assert found.where.line == line_of(text, "<add")
    both = given(web_dot_config=text.format("Negotiate"))
    assert "iis-other-provider" not in asked(both, "/", Authorization=NTLM)


def test_extended_protection() -> None:
    text = server(
        '<windowsAuthentication enabled="true">\n<extendedProtection tokenChecking="{}" /></windowsAuthentication>'
    )
    found = asked(given(web_dot_config=text.format("Require")), "/", Authorization=NTLM)[
        "iis-extended-protection"
    ]
    assert found.where.line == line_of(text, "<extended")
    assert "iis-extended-protection" not in asked(
        given(web_dot_config=text.format("Allow")), "/", Authorization=NTLM
    )
    assert "iis-extended-protection" not in asked(given(web_dot_config=text.format("Require")), "/")


def test_forms_cookie() -> None:
    text = config(
        '<system.web><authentication mode="Forms">\n<forms loginUrl="/login" {} /></authentication></system.web>'
    )
    secure = given(web_dot_config=text.format('requireSSL="true"'))
    assert asked(secure, "/orders")["iis-forms-cookie-needs-tls"].where.line == line_of(text, "<forms")
    path = given(web_dot_config=text.format('path="/Shop"'))
    assert asked(path, "/shop/orders")["iis-forms-cookie-path"].edits
    assert "iis-forms-cookie-path" not in asked(path, "/Shop/orders")
    assert not {"iis-forms-cookie-needs-tls", "iis-forms-cookie-path"} & set(
        asked(given(web_dot_config=text.format("")), "/a")
    )


def test_sessions_of_each_process() -> None:
    host = config(
        "<system.applicationHost><applicationPools><add name='shop'>\n<processModel maxProcesses=\"{}\" /></add>"
        "</applicationPools></system.applicationHost>"
    )
    found = asked(given(applicationHost_dot_config=host.format(4)), "/", Cookie="ASP.NET_SessionId=abc")
    assert found["iis-sessions-of-each-process"].where.line == line_of(host, "<processModel")
    assert "iis-sessions-of-each-process" not in asked(given(applicationHost_dot_config=host.format(1)), "/")
