"""Contrasts: what each speaks for, and pairs of exchanges that differ in one respect."""

from collections.abc import Sequence

import pytest

from why401.causes import catalogue
from why401.checks import contrasts
from why401.checks.contrasts_rules import NO_DIFFERENCE, RULES
from why401.evidence import Contrast, Evidence, Exchange, Fields, Request, Response, Source, Text

HERE = Source("message.txt", 1)


def findings(*held: Contrast) -> dict[str, dict[str, float]]:
    return {f.id: dict(f.weights) for f in contrasts.contrasts(Evidence(contrasts=held))}


def exchange(
    number: int,
    status: int,
    url: str = "https://a.example/x",
    method: str = "GET",
    fields: Sequence[tuple[str, str]] = (),
) -> Exchange:
    return Exchange(number, Request(method, url, Fields.of(fields)), Response(status), HERE)


def test_every_weight_is_for_a_known_cause() -> None:
    known = set(catalogue())
    for rule in (*RULES, *NO_DIFFERENCE):
        assert set(rule.weights) <= known, rule.id
    assert len({rule.id for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("axis", "works", "fails", "rule", "cause"),
    [
        ("client", "curl", "in the browser", "tool-works-browser-fails", "cors-preflight-rejected"),
        ("client", "Postman", "in my code", "tool-works-code-fails", "wrong-header"),
        ("client", "web page", "docker login", "browser-works-tool-fails", "password-login-disabled"),
        ("client", "another desktop client", "", "other-client-works", "software-bug"),
        ("host", "locally", "in production", "local-works-remote-fails", "proxy-stripped-credentials"),
        ("host", "deployed", "local", "remote-works-local-fails", "cookie-not-sent"),
        ("scheme", "over https", "with http", "https-works-http-fails", "https-required"),
        ("scheme", "with http", "over https", "http-works-https-fails", "cookie-not-issued"),
        ("frequency", "the same request", "sometimes", "now-and-then", "session-unknown"),
        ("age", "works for one hour", "later", "works-for-an-hour", "token-expired"),
        ("restart", "", "after a restart", "restart-breaks", "secret-rotated"),
        ("restart", "after a restart", "", "restart-mends", "auth-backend-unreachable"),
        ("version", "4.x", "5.x", "since-upgrade", "upgrade-regression"),
        ("layer", "bypass", "", "direct-works", "proxy-stripped-credentials"),
        ("network", "from another IP", "", "contrast-other-network", "client-banned"),
        ("session", "incognito window", "", "private-window-works", "cookie-corrupted"),
        ("credential", "without authentication", "", "works-without-credential", "needless-credential-rejected"),
        ("credential", "new token", "", "other-credential-works", "credential-revoked"),
    ],
)  # fmt: skip
def test_a_contrast_speaks_for_its_causes(axis: str, works: str, fails: str, rule: str, cause: str) -> None:
    found = findings(Contrast(axis, works, fails, HERE))  # type: ignore[arg-type]
    assert found[rule][cause] > 0


def test_a_good_credential_is_no_wrong_password() -> None:
    assert (
        findings(Contrast("client", "curl", "in the browser", HERE))["tool-works-browser-fails"][
            "wrong-password"
        ]
        < 0
    )


def test_two_exchanges_that_differ_in_the_method() -> None:
    held = Evidence(exchanges=(exchange(1, 200), exchange(2, 401, method="POST")))
    assert [c.axis for c in contrasts.between_exchanges(held)] == ["method"]


def test_two_exchanges_that_differ_in_more_are_no_contrast() -> None:
    held = Evidence(exchanges=(exchange(1, 200), exchange(2, 401, "https://b.example/y", "POST")))
    assert list(contrasts.between_exchanges(held)) == []


def test_the_same_request_by_turns() -> None:
    statuses = (200, 401, 200, 200, 401)
    held = Evidence(exchanges=tuple(exchange(n, status) for n, status in enumerate(statuses, 1)))
    assert [c.axis for c in contrasts.between_exchanges(held)] == ["frequency"]
    once = Evidence(exchanges=(exchange(1, 401), exchange(2, 200)))
    assert list(contrasts.between_exchanges(once)) == []


def test_success_without_the_credential() -> None:
    held = Evidence(
        exchanges=(exchange(1, 200), exchange(2, 401, fields=[("Authorization", "Bearer made-up")]))
    )
    assert [(c.axis, c.works) for c in contrasts.between_exchanges(held)] == [("credential", "no credential")]
    assert "made-up" not in str(list(contrasts.between_exchanges(held)))


def test_what_made_no_difference_speaks_against() -> None:
    def ids(prose: str) -> list[str]:
        return [f.id for f in contrasts.made_no_difference(Evidence(texts=(Text(prose, HERE),)))]

    assert ids("A brand-new key pair gives the same answer.") == ["new-credential-same"]
    assert ids("Logging in again does not help.") == ["login-again-same"]
    assert ids("A new token works.") == []
