"""How the clients of each language are pointed at a project: text to copy."""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import Any


@dataclass(frozen=True)
class Setup:
    """`code` is complete: it works as it stands. Placeholders are of `string.Template`."""

    name: str
    install: str
    code: str


_PYTHON = """import sentry_sdk

sentry_sdk.init("$dsn")"""
_FASTAPI = """import sentry_sdk
from sentry_sdk.integrations.fastapi import FastApiIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration

refused = {401, 403, 407, *range(500, 600)}
sentry_sdk.init("$dsn", integrations=[
    StarletteIntegration(failed_request_status_codes=refused),
    FastApiIntegration(failed_request_status_codes=refused)])"""
_NODE = """const Sentry = require("@sentry/node");

Sentry.init({ dsn: "$dsn" });"""
_BROWSER = """import * as Sentry from "@sentry/browser";

Sentry.init({ dsn: "$dsn", integrations: [
  Sentry.httpClientIntegration({ failedRequestStatusCodes: [401, 403, 407, [500, 599]] })],
  sendDefaultPii: true });"""
_RUBY = """Airbrake.configure do |c|
  c.host = "$host"
  c.project_id = $id
  c.project_key = "$key"
end"""
_PYBRAKE = """import pybrake

notifier = pybrake.Notifier(host="$host", project_id=$id, project_key="$key")"""
_AIRBRAKE_JS = """const { Notifier } = require("@airbrake/node");

new Notifier({ host: "$host", projectId: $id, projectKey: "$key" });"""
_OTEL = """export OTEL_EXPORTER_OTLP_ENDPOINT=$host
export OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20$key
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"""
_PHP = """\\Sentry\\init(['dsn' => '$dsn']);"""
_GO = """sentry.Init(sentry.ClientOptions{Dsn: "$dsn"})"""
_JAVA = """Sentry.init(options -> options.setDsn("$dsn"));"""
_DOTNET = """SentrySdk.Init("$dsn");"""

SETUPS = (
    Setup("Python", "pip install sentry-sdk", _PYTHON),
    Setup("FastAPI, Starlette", "pip install sentry-sdk", _FASTAPI),
    Setup("Python, Airbrake", "pip install pybrake", _PYBRAKE),
    Setup("Node.js", "npm install @sentry/node", _NODE),
    Setup("Browser", "npm install @sentry/browser", _BROWSER),
    Setup("Node.js, Airbrake", "npm install @airbrake/node", _AIRBRAKE_JS),
    Setup("Ruby, Airbrake", "gem install airbrake", _RUBY),
    Setup("PHP", "composer require sentry/sentry", _PHP),
    Setup("Go", "go get github.com/getsentry/sentry-go", _GO),
    Setup("Java", "io.sentry:sentry", _JAVA),
    Setup(".NET", "dotnet add package Sentry", _DOTNET),
    Setup("OpenTelemetry", "any language", _OTEL),
)


def of(how: dict[str, Any]) -> tuple[Setup, ...]:
    """The set-ups with the project's own values; `how`: see projects.described."""
    values = {"dsn": how["sentry_dsn"], "host": how["airbrake"]["host"], "id": how["id"], "key": how["key"]}
    return tuple(Setup(one.name, one.install, Template(one.code).substitute(values)) for one in SETUPS)
