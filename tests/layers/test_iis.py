"""IIS: which settings are in force where, and what they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from tests.checks.code_cases import line_of
from why401 import layers
from why401.evidence import Demand, Fields, Request
from why401.layers import Document
from why401.layers.iis import IIS
from why401.layers.model import Damaged, Route
from why401.layers.tree import Tree

HOST = """<configuration>
  <system.applicationHost>
    <sites>
      <site name="Shop" id="1">
        <application path="/"><virtualDirectory path="/" physicalPath="C:\\inetpub\\shop" /></application>
        <bindings><binding protocol="http" bindingInformation="*:8080:shop.test" /></bindings>
      </site>
    </sites>
  </system.applicationHost>
  <system.webServer><security><authentication>
    <anonymousAuthentication enabled="true" />
    <windowsAuthentication enabled="false">
      <providers><add value="Negotiate" /><add value="NTLM" /></providers>
    </windowsAuthentication>
  </authentication></security></system.webServer>
  <location path="Shop/staff">
    <system.webServer><security><authentication>
      <anonymousAuthentication enabled="false" />
      <windowsAuthentication enabled="true" />
    </authentication></security></system.webServer>
  </location>
</configuration>
"""
BASIC = """<configuration>
  <system.webServer>
    <security>
      <authentication>
        <anonymousAuthentication enabled="false" />
        <basicAuthentication enabled="true" realm="Shop" />
      </authentication>
    </security>
  </system.webServer>
  <location path="public">
    <system.webServer><security><authentication>
      <anonymousAuthentication enabled="true" />
    </authentication></security></system.webServer>
  </location>
</configuration>
"""


def server(**files: str) -> IIS:
    documents = [
        Document(name.replace("__", "/").replace("_dot_", "."), text) for name, text in files.items()
    ]
    (found,) = (layer for layer in layers.read(documents).layers if isinstance(layer, IIS))
    return found


def met(layer: IIS, path: str, method: str = "GET") -> Route:
    (route,) = layer.meets(Request(method, f"http://shop.test{path}", Fields()))
    return route


def asked(route: Route, respect: str) -> list[str]:
    return [demand.value for demand in route.all(respect)]


def test_a_location_of_a_site() -> None:
    layer = server(applicationHost_dot_config=HOST)
    assert layer.listens == {":8080"}
    assert met(layer, "/").demands == ()
    staff = met(layer, "/Staff/list")
    assert asked(staff, "scheme") == ["Negotiate", "NTLM"]
    assert asked(staff, "providers") == ["Negotiate NTLM"]
    assert staff.demands[0].source.line == line_of(HOST, '<anonymousAuthentication enabled="false"')


def test_a_location_frees_a_path() -> None:
    layer = server(web_dot_config=BASIC)
    assert met(layer, "/orders").demands[0] == Demand(
        "scheme", "Basic", layer.top.source.at(line_of(BASIC, "anonymous")), hop="IIS"
    )
    assert asked(met(layer, "/orders"), "realm") == ["Shop"]
    assert met(layer, "/public/logo.png").demands == ()
    assert asked(met(layer, "/publicity"), "scheme") == ["Basic"]


def test_the_file_of_a_folder_below() -> None:
    inner = (
        '<configuration><system.webServer><security><authentication><anonymousAuthentication enabled="true"/>'
    )
    inner += "</authentication></security></system.webServer></configuration>"
    layer = server(site__web_dot_config=BASIC, site__open__web_dot_config=inner)
    assert met(layer, "/open/a").demands == ()
    assert asked(met(layer, "/a"), "scheme") == ["Basic"]


def test_rules_of_asp_net() -> None:
    text = """<configuration><system.web>
<authentication mode="Forms"><forms loginUrl="/login" name="SHOP" /></authentication>
<authorization>
<allow roles="staff" />
<deny users="*" />
</authorization>
</system.web></configuration>"""
    route = met(server(web_dot_config=text), "/a")
    assert (asked(route, "cookie"), asked(route, "login"), asked(route, "user")) == (
        ["SHOP"],
        ["/login"],
        ["group staff"],
    )
    assert route.demand("user").source.line == 5  # type: ignore[union-attr]


def test_rules_of_a_verb() -> None:
    text = """<configuration><system.web><authorization>
<deny verbs="POST" users="?" /></authorization></system.web>
<system.webServer><security><authentication><basicAuthentication enabled="true" /></authentication></security>
</system.webServer></configuration>"""
    layer = server(web_dot_config=text)
    assert met(layer, "/a").demands == ()
    assert asked(met(layer, "/a", "POST"), "scheme") == ["Basic"]


def test_addresses_and_tls() -> None:
    text = """<configuration><system.webServer><security>
<access sslFlags="Ssl, SslNegotiateCert, SslRequireCert" />
<ipSecurity allowUnlisted="false"><add ipAddress="10.0.0.0" subnetMask="255.0.0.0" allowed="true" /></ipSecurity>
</security></system.webServer></configuration>"""
    route = met(server(web_dot_config=text), "/a")
    assert asked(route, "address") == ["allow 10.0.0.0/255.0.0.0, deny all"]
    assert asked(route, "certificate") == ["on"]
    assert asked(route, "https") == ["on"]


def test_a_rewrite_passes_on_and_changes() -> None:
    text = """<configuration><system.webServer><rewrite><rules>
<rule name="api"><match url="(.*)" />
<serverVariables><set name="HTTP_AUTHORIZATION" value="" /></serverVariables>
<action type="Rewrite" url="http://localhost:5000/{R:1}" /></rule>
</rules></rewrite></system.webServer></configuration>"""
    route = met(server(web_dot_config=text), "/a")
    assert route.upstream == "http://localhost:5000"
    (change,) = route.changes
    assert (change.what, change.name, change.source.line) == ("drops", "Authorization", 3)


@pytest.mark.parametrize(
    "text", ["<configuration><system.web>", "<!DOCTYPE a [<!ENTITY b 'c'>]><system.web/>"]
)
def test_what_is_no_xml_is_said_in_one_sentence(text: str) -> None:
    found = layers.read([Document("web.config", text)])
    assert not found.layers
    assert found.unreadable[0].says.count("\n") == 0


_NAMES = st.sampled_from(
    "configuration location system.web system.webServer security authentication authorization allow deny add clear "
    "anonymousAuthentication windowsAuthentication providers ipSecurity access rewrite rules rule forms".split()
)
_VALUES = st.sampled_from(
    ["true", "false", "?", "*", "Ssl", "", "a/b", "10.0.0.1", "Forms", "http://x:1/{R:1}"]
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        "path enabled users roles verbs mode sslFlags value allowUnlisted ipAddress type url".split()
    ),
    _VALUES,
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 6) -> str:
    name, attributes = draw(_NAMES), draw(_ATTRIBUTES)
    inner = "".join(draw(st.lists(trees(depth - 1), max_size=3))) if depth else ""  # type: ignore[call-arg]
    said = " ".join(f'{k}="{v}"' for k, v in attributes.items())
    return f"<{name} {said}>{inner}</{name}>"


@over(trees(), st.sampled_from(["/", "/a/b", "/A"]))  # type: ignore[call-arg]
def test_nothing_breaks_it(text: str, path: str) -> None:
    tree = Tree([Document("web.config", f"<configuration><system.web/>{text}</configuration>")])
    from why401.layers import iis

    for root in iis.roots(tree):
        try:
            layer = iis.read(tree, root)
        except Damaged:
            continue
        layer.routes()
        layer.meets(Request("GET", path, Fields()))
