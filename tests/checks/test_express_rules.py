# ruff: noqa: E501  (code, a line each)
"""Rules on Express and Node.js: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited

HEAD = """const express = require("express");
const jwt = require("jsonwebtoken");
const cors = require("cors");
const session = require("express-session");
const cookieParser = require("cookie-parser");
const passport = require("passport");
const { expressjwt } = require("express-jwt");
const crypto = require("crypto");
const app = express();
const KEY = "a-secret-long-enough-for-this";
function guard(req, res, next) {
  const header = req.headers.authorization;
  if (!header || !header.startsWith("Bearer ")) {
    return res.status(401).end();
  }
  try {
    req.user = jwt.verify(header.split(" ")[1], KEY);
    next();
  } catch (error) {
    res.status(401).json({ error: "bad token" });
  }
}
function signedIn(req, res, next) {
  if (!req.session?.user) return res.sendStatus(401);
  next();
}
function byCookie(req, res, next) {
  if (!req.cookies?.sid) return res.sendStatus(401);
  next();
}
function login(req, res) {
  if (req.body?.name !== "a") return res.status(401).end();
  res.json({ token: jwt.sign({ sub: "a" }, KEY) });
}
"""
SESSION = 'app.use(session({ secret: "s", cookie: { %s } }));'


def app(*lines: str) -> str:
    return HEAD + "\n".join(lines) + "\napp.listen(3000);\n"


FAULTS = [
    ("express-cors-behind-guard", app("app.use(guard);", "app.use(cors());"), "app.use(guard)"),
    ("express-login-behind-guard", app("app.use(express.json());", "app.use(guard);", 'app.post("/login", login);'), "app.use(guard)"),
    ("express-unless-path", app("app.use(express.json());", 'app.use("/api", expressjwt({ secret: KEY, algorithms: ["HS256"] }).unless({ path: ["/login"] }));', 'app.post("/api/login", login);'), '"/api", expressjwt'),
    ("express-filled-too-late", app("app.use(signedIn);", "app.use(session({ secret: KEY }));"), "app.use(session("),
    ("express-filled-too-late", app('app.get("/me", byCookie, (req, res) => res.end());'), "req.cookies?.sid"),
    ("express-passport-before-session", app("app.use(passport.session());", "app.use(session({ secret: KEY }));"), "app.use(passport"),
    ("express-body-not-read", app('app.post("/login", login);'), 'app.post("/login"'),
    ("node-field-in-capitals", app('app.use((req, res, next) => { if (req.headers["X-Key"] !== KEY) return res.sendStatus(401); next(); });'), "X-Key"),
    ("node-token-with-space", app('function f(req, res) { jwt.verify(req.headers.authorization.split("Bearer")[1], KEY); }', 'app.get("/", f);'), 'split("Bearer")'),
    ("node-lifetime-in-milliseconds", app('jwt.sign({}, KEY, { expiresIn: "3600" });'), '"3600"'),
    ("node-two-keys", HEAD.replace("}, KEY)", '}, "another-secret")') + "app.use(guard);", "jwt.verify("),
    ("node-audience-of-own-tokens", HEAD.replace('[1], KEY)', '[1], KEY, { audience: "shop" })') + "app.use(guard);", "jwt.verify("),
    ("node-algorithm-of-own-tokens", HEAD.replace('[1], KEY)', '[1], KEY, { algorithms: ["RS256"] })') + "app.use(guard);", "jwt.verify("),
    ("node-key-made-at-start", app('app.use(session({ secret: crypto.randomBytes(32).toString("hex") }));'), None),
    ("node-secure-over-http", app(SESSION % "secure: true"), "secure: true"),
    ("node-none-without-secure", app(SESSION % 'sameSite: "none"'), "sameSite"),
    ("node-age-in-seconds", app(SESSION % "maxAge: 60 * 60"), "maxAge"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("slug", "text", "line"), FAULTS, ids=[f"{n}-{fault[0]}" for n, fault in enumerate(FAULTS)]
)
def test_fault(slug: str, text: str, line: str | None) -> None:
    found = linted(app_dot_js=text)
    assert slug in found
    if line is not None:
        assert found[slug].where.line == line_of(text, line)


SOUND = [
    app("app.use(cors());", "app.use(guard);"),
    app("app.use(express.json());", 'app.post("/login", login);', "app.use(guard);"),
    app("app.use(express.json());", 'app.use("/orders", guard);', 'app.post("/login", login);'),
    app("app.use(express.json());", 'app.use("/api", expressjwt({ secret: KEY, algorithms: ["HS256"] }).unless({ path: ["/api/login"] }));', 'app.post("/api/login", login);'),
    app("app.use(express.json());", 'app.use((req, res, next) => { if (req.path === "/login") return next(); guard(req, res, next); });', 'app.post("/login", login);'),
    app("app.use(session({ secret: KEY }));", "app.use(passport.session());", "app.use(signedIn);"),
    app("app.use(cookieParser());", "app.use(byCookie);"),
    app('app.use((req, res, next) => { if (req.headers["x-key"] !== KEY) return res.sendStatus(401); next(); });'),
    app('app.use((req, res, next) => { if (req.get("X-Key") !== KEY) return res.sendStatus(401); next(); });'),
    app('function f(req, res) { jwt.verify(req.headers.authorization.split("Bearer ")[1], KEY); }', 'app.get("/", f);'),
    app('jwt.sign({}, KEY, { expiresIn: 3600 });'),
    app("app.set('trust proxy', 1);", SESSION % 'secure: true, sameSite: "none"'),
    app(SESSION % "secure: 'auto', maxAge: 1000 * 60 * 60"),
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_sound(text: str) -> None:
    assert linted(app_dot_js=text) == {}


@pytest.mark.parametrize(
    "slug",
    [
        "express-cors-behind-guard",
        "express-login-behind-guard",
        "express-unless-path",
        "express-passport-before-session",
        "express-body-not-read",
        "node-field-in-capitals",
        "node-token-with-space",
        "node-lifetime-in-milliseconds",
        "node-age-in-seconds",
    ],
)
def test_mended(slug: str) -> None:
    """The edit takes the fault away and brings in no other."""
    finding = linted(app_dot_js=next(text for name, text, _ in FAULTS if name == slug))[slug]
    assert linted(app_dot_js=edited(finding.edits[0].document, finding.edits)) == {}


def test_the_line_that_refused() -> None:
    """Of several refusals the one that this request comes to is named."""
    evidence = given(app_dot_js=app("app.use(guard);"))
    missing = asked(evidence, "/x")["refused-by-return"]
    assert missing.where.line == line_of(HEAD, "return res.status(401).end()")
    bad = asked(evidence, "/x", Authorization="Bearer abc")["refused-by-return"]
    assert bad.where.line == line_of(HEAD, 'res.status(401).json({ error: "bad token"')
    assert "does not verify" in bad.says


def test_routers_in_other_files() -> None:
    files = {
        "app_dot_js": app('app.use("/api", require("./routes/orders"));'),
        "routes__orders_dot_js": 'const router = require("express").Router();\nconst { guard } = require("../lib/guard");\nrouter.use(guard);\nrouter.get("/orders", (req, res) => res.end());\nmodule.exports = router;\n',
        "lib__guard_dot_js": 'exports.guard = (req, res, next) => {\n  if (req.headers["x-key"] !== "k") {\n    return res.status(401).end();\n  }\n  next();\n};\n',
    }
    found = asked(given(**files), "/api/orders")["refused-by-return"]
    assert (found.where.source, found.where.line) == ("lib/guard.js", 3)
    assert "refused-by-return" not in asked(given(**files), "/other")


def test_a_form_where_only_json_is_parsed() -> None:
    evidence = given(app_dot_js=app("app.use(express.json());", 'app.post("/login", login);'))
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    assert "express-body-of-other-type" in asked(evidence, "/login", "POST", body="name=a", **form)
    json = {"Content_Type": "application/json"}
    assert "express-body-of-other-type" not in asked(evidence, "/login", "POST", body="{}", **json)
