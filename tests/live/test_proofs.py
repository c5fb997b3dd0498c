"""Every experiment against a site with just that fault: proved, within the budgets, nobody harmed."""

from __future__ import annotations

import base64

import pytest

from tests.live.sites import GOOD, Answer, Handler, Received, basic, serve, wants
from why401 import live
from why401.probes.from_curl import ask_of
from why401.report import Report

TOKEN = "tok-8f3a9c1e5b7d2f40"
ALICE = basic("alice", "s3cret-Pw")


def run(handler: Handler, words: list[str], **limits: object) -> tuple[Report, object]:
    """Diagnose `words` (curl's, with URL as {url}) against a site; returns the report and the site."""
    with serve(handler) as site:
        ask = ask_of([word.replace("{url}", site.url) for word in words])
        report = live.diagnose(ask, limits=live.Limits(**limits))  # type: ignore[arg-type]
    return report, site


def unless(cure: object, good: Handler) -> Handler:
    """A site that works only where `cure` holds of the request."""

    def handler(request: Received) -> Answer:
        if not cure(request):  # type: ignore[operator]
            return 401, {"WWW-Authenticate": 'Basic realm="lab"'}, "Unauthorized"
        return good(request)

    return handler


def twice(request: Received) -> Answer:
    """Refuses any request with a cookie beside its good token."""
    if request.get("cookie") or request.get("authorization") != f"Bearer {TOKEN}":
        return 401, {"WWW-Authenticate": "Bearer"}, "Unauthorized"
    return GOOD


def public(request: Received) -> Answer:
    """Needs no login, but refuses a credential that it does not know."""
    return (401, {"WWW-Authenticate": "Bearer"}, "bad token") if request.get("authorization") else GOOD


def cached(request: Received) -> Answer:
    """A cache in front answers the plain URL with the 401 that it kept."""
    if "?" not in request.path:
        return 401, {"Age": "120", "X-Cache": "HIT", "WWW-Authenticate": "Bearer"}, "Unauthorized"
    return wants(f"Bearer {TOKEN}", "Bearer")(request)


def slashed(request: Received) -> Answer:
    if request.path == "/orders/":
        return wants(f"Bearer {TOKEN}", "Bearer")(request)
    return 401, {"WWW-Authenticate": "Bearer"}, "Unauthorized"


def robots(request: Received) -> Answer:
    if "Mozilla" not in (request.get("user-agent") or ""):
        return 401, {}, "no"
    return wants(f"Bearer {TOKEN}", "Bearer")(request)


def duplicate(request: Received) -> Answer:
    cookie = request.get("cookie") or ""
    good = cookie.count("sid=") == 1 and "sid=new-0123456789" in cookie
    return GOOD if good else (401, {}, "no session")


TABLE: list[tuple[str, Handler, list[str]]] = [
    ("stray-whitespace", wants(ALICE), ["-u", "alice:s3cret-Pw\n", "{url}/orders"]),
    (
        "stray-whitespace",
        wants(f"Bearer {TOKEN}", "Bearer"),
        ["-H", f"Authorization: Bearer {TOKEN}\u200b", "{url}/o"],
    ),
    (
        "malformed-authorization",
        wants(f"Bearer {TOKEN}", "Bearer"),
        ["-H", f"Authorization: Bearer Bearer {TOKEN}", "{url}/o"],
    ),
    (
        "malformed-authorization",
        wants(f"Bearer {TOKEN}", "Bearer"),
        ["-H", f"Authorization: Bearer: {TOKEN}", "{url}/o"],
    ),
    (
        "malformed-authorization",
        wants(f"Bearer {TOKEN}", "Bearer"),
        ["-H", f'Authorization: Bearer "{TOKEN}"', "{url}/o"],
    ),
    ("bad-base64", wants(ALICE), ["-H", "Authorization: Basic alice:s3cret-Pw", "{url}/o"]),
    (
        "bad-base64",
        wants(ALICE),
        ["-H", "Authorization: Basic " + base64.b64encode(ALICE[6:].encode()).decode(), "{url}/o"],
    ),
    ("charset-mismatch", wants(basic("jörg", "grün-9-Pw", "latin-1")), ["-u", "jörg:grün-9-Pw", "{url}/o"]),
    (
        "charset-mismatch",
        wants(basic("jörg", "grün-9-Pw")),
        ["-H", "Authorization: " + basic("jörg", "grün-9-Pw", "latin-1"), "{url}/o"],
    ),
    ("wrong-scheme", wants(f"Bearer {TOKEN}", "Bearer"), ["-H", f"Authorization: Token {TOKEN}", "{url}/o"]),
    ("wrong-scheme", wants(f"Bearer {TOKEN}", "Bearer"), ["-H", f"Authorization: {TOKEN}", "{url}/o"]),
    ("wrong-scheme", wants(ALICE), ["-H", "Authorization: Bearer " + ALICE[6:], "{url}/o"]),
    (
        "wrong-header",
        wants(f"Bearer {TOKEN}", "Bearer"),
        ["-H", f"Authentication: Bearer {TOKEN}", "{url}/o"],
    ),
    ("wrong-header", wants(f"Bearer {TOKEN}", "Bearer"), ["-H", f"X-Api-Key: {TOKEN}", "{url}/o"]),
    ("unescaped-userinfo", wants(basic("alice", "a%41b+c9")), ["http://alice:a%41b+c9@{host}/o"]),
    (
        "wrong-user-name-for-token",
        wants(basic("__token__", "pypi-AgEIcHlwaS5vcmc")),
        ["-u", "alice:pypi-AgEIcHlwaS5vcmc", "{url}/o"],
    ),
    (
        "credentials-overridden",
        twice,
        ["-H", f"Authorization: Bearer {TOKEN}", "-b", "logged_in=stale-1234", "{url}/o"],
    ),
    ("needless-credential-rejected", public, ["-H", f"Authorization: Bearer {TOKEN}", "{url}/o"]),
    ("cached-response", cached, ["-H", f"Authorization: Bearer {TOKEN}", "{url}/o"]),
    ("wrong-url", slashed, ["-H", f"Authorization: Bearer {TOKEN}", "{url}/orders"]),
    ("cookie-corrupted", duplicate, ["-b", "sid=old-0123456789; sid=new-0123456789", "{url}/o"]),
]


@pytest.mark.parametrize(
    ("cause", "handler", "words"), TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_each_fault_is_proved_within_the_budgets(cause: str, handler: Handler, words: list[str]) -> None:
    with serve(handler) as site:
        host = site.url.removeprefix("http://")
        report = live.diagnose(ask_of([w.replace("{url}", site.url).replace("{host}", host) for w in words]))
    first = report.diagnoses[0].causes[0]
    assert first.cause is not None
    assert (first.cause.id, bool(first.proof)) == (cause, True), report.experiments
    assert len(site.received) <= 12
    assert site.failed_logins() <= 3  # the user's own and two more
    assert first.proof is not None
    assert len(first.proof.exchanges) >= 2


def test_a_refused_browser_agent_is_not_a_matter_of_credentials() -> None:
    report, _ = run(robots, ["-H", f"Authorization: Bearer {TOKEN}", "{url}/o"])
    first = report.diagnoses[0].causes[0]
    assert first.cause is not None
    assert first.cause.id in ("edge-protection", "client-banned")
    assert first.proof is not None


def test_a_wrong_password_is_never_called_proved() -> None:
    report, site = run(wants(ALICE), ["-u", "alice:other-Pw1", "{url}/o"])
    assert all(named.proof is None for named in report.diagnoses[0].causes)
    assert site.failed_logins() <= 3  # type: ignore[attr-defined]


def test_an_unsafe_method_is_sent_once() -> None:
    report, site = run(wants(ALICE), ["-X", "POST", "-d", "a=1", "-u", "alice:s3cret-Pw\n", "{url}/o"])
    assert len(site.received) == 1  # type: ignore[attr-defined]
    assert any("--replay-unsafe" in note for note in report.notes)


def test_an_unsafe_method_is_replayed_only_when_allowed() -> None:
    words = ["-X", "POST", "-d", "a=1", "-u", "alice:s3cret-Pw\n", "{url}/o"]
    report, _ = run(wants(ALICE), words, replay_unsafe=True)
    assert report.diagnoses[0].causes[0].proof is not None


def test_credentials_do_not_follow_to_another_origin() -> None:
    with serve(wants(f"Bearer {TOKEN}", "Bearer")) as other:
        target = other.url.replace("127.0.0.1", "localhost") + "/o"
        report, _ = run(
            lambda _: (302, {"Location": target}, ""),
            ["-L", "-H", f"Authorization: Bearer {TOKEN}", "{url}/o"],
        )
    assert all(r.get("authorization") is None for r in other.received)
    assert report.diagnoses[0].causes[0].cause is not None
    assert report.diagnoses[0].causes[0].cause.id == "redirect-dropped-credentials"


def test_the_user_may_send_credentials_to_another_origin() -> None:
    with serve(wants(f"Bearer {TOKEN}", "Bearer")) as other:
        target = other.url.replace("127.0.0.1", "localhost")
        report, _ = run(
            lambda _: (302, {"Location": target + "/o"}, ""),
            ["-L", "-H", f"Authorization: Bearer {TOKEN}", "{url}/o"],
            send_credentials_to=(target,),
        )
    first = report.diagnoses[0].causes[0]
    assert first.cause is not None
    assert first.cause.id == "redirect-dropped-credentials"
    assert first.proof is not None


def test_flapping_proves_nothing() -> None:
    seen: list[int] = []

    def flapping(_: Received) -> Answer:
        seen.append(1)
        return GOOD if len(seen) % 3 == 0 else (401, {"WWW-Authenticate": "Bearer"}, "no")

    report, _ = run(flapping, ["-H", f"Authorization: Bearer Bearer {TOKEN}", "{url}/o"])
    assert all(named.proof is None for named in report.diagnoses[0].causes)


def test_a_public_neighbour_proves_nothing() -> None:
    def handler(request: Received) -> Answer:
        return GOOD if request.path == "/orders/" else (401, {"WWW-Authenticate": "Bearer"}, "no")

    report, _ = run(handler, ["-H", f"Authorization: Bearer {TOKEN}", "{url}/orders"])
    assert all(named.proof is None for named in report.diagnoses[0].causes)


def test_a_login_page_is_no_good_answer() -> None:
    def handler(request: Received) -> Answer:
        if request.get("authorization") == f"Bearer {TOKEN}":
            return 200, {"Content-Type": "text/html"}, '<form><input type="password" name="pw"></form>'
        return 401, {"WWW-Authenticate": "Bearer"}, "no"

    report, _ = run(handler, ["-H", f"Authorization: Bearer Bearer {TOKEN}", "{url}/o"])
    assert all(named.proof is None for named in report.diagnoses[0].causes)


def test_a_healthy_exchange_ends_with_status_0() -> None:
    report, site = run(wants(ALICE), ["-u", "alice:s3cret-Pw", "{url}/o"])
    assert len(site.received) == 1  # type: ignore[attr-defined]
    assert report.exit_status == 0


def test_an_unreachable_target_is_said_in_a_sentence() -> None:
    report = live.diagnose(ask_of(["http://127.0.0.1:9/"]))
    assert report.exit_status == 3
    assert "127.0.0.1" in report.unreachable


def test_ctrl_c_keeps_what_is_known() -> None:
    said: list[str] = []
    with serve(wants(ALICE)) as site:
        ask = ask_of(["-u", "alice:other-Pw1", f"{site.url}/o"])
        report = live.diagnose(ask, say=said.append, stop=lambda: len(said) > 1)
    assert report.diagnoses[0].status == 401
    assert len(site.received) <= 2
