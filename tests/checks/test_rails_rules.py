"""Rules on Rails: each with a fault that it names by line, and a sound near-miss."""

from __future__ import annotations

import pytest

from tests.checks.code_cases import asked, given, line_of, linted
from why401.diffs import edited
from why401.findings import Finding

pytest.importorskip("tree_sitter_ruby", reason="the grammar of Ruby is not installed")

ROUTES = "Rails.application.routes.draw do\n  {}\nend\n"
BASE = "class ApplicationController < ActionController::{}\n  {}\nend\n"
ORDERS = "class OrdersController < ApplicationController\n  def index; end\n  def create; end\nend\n"
TOKEN = "Bearer abc"


def found(
    files: dict[str, str], path: str = "/orders", method: str = "GET", status: int = 401, **fields: str
) -> dict[str, Finding]:
    return asked(given(**files), path, method, status, **fields)


def shop(
    callback: str = "before_action :authenticate_user!", kind: str = "API", **more: str
) -> dict[str, str]:
    return {
        "config__routes_dot_rb": ROUTES.format("resources :orders"),
        "app__controllers__application_controller_dot_rb": BASE.format(kind, callback),
        "app__controllers__orders_controller_dot_rb": ORDERS,
        **more,
    }


def test_login_behind_the_login() -> None:
    base = BASE.format("API", "before_action :authenticate_request")
    login = "class SessionsController < ApplicationController\n{}  def create; end\nend\n"
    files = {"app__controllers__application_controller_dot_rb": base}
    fault = linted(**files, app__controllers__sessions_controller_dot_rb=login.format(""))[
        "rails-login-guarded"
    ]
    assert (fault.where.source, fault.where.line) == ("app/controllers/application_controller.rb", 2)
    skipped = login.format("  skip_before_action :authenticate_request, only: :create\n")
    assert linted(**files, app__controllers__sessions_controller_dot_rb=skipped) == {}
    devise = login.replace("ApplicationController", "Devise::SessionsController")
    assert linted(**files, app__controllers__sessions_controller_dot_rb=devise.format("")) == {}


def test_rights_before_the_login() -> None:
    text = "class OrdersController < ActionController::API\n  {}\n  {}\n  def index; end\nend\n"
    rights, login = "load_and_authorize_resource", "before_action :authenticate_user!"
    fault = linted(app__controllers__orders_controller_dot_rb=text.format(rights, login))[
        "rails-rights-before-login"
    ]
    assert fault.where.line == 2
    mended = edited(fault.edits[0].document, fault.edits)
    assert mended == text.format(login, rights)
    assert linted(app__controllers__orders_controller_dot_rb=mended) == {}


def test_token_that_is_never_issued() -> None:
    setting = "jwt.dispatch_requests = [['POST', %r{{{}}}]]"
    devise = f"Devise.setup do |config|\n  config.jwt do |jwt|\n    {setting}\n  end\nend\n"
    files = {"config__routes_dot_rb": ROUTES.format("devise_for :users")}
    fault = linted(**files, config__initializers__devise_dot_rb=devise.format("^/login$"))[
        "rails-token-never-issued"
    ]
    assert fault.where.line == line_of(devise, "jwt.dispatch")
    assert linted(**files, config__initializers__devise_dot_rb=devise.format("^/users/sign_in$")) == {}


def test_session_that_an_api_has_not() -> None:
    config = (
        "module Shop\n  class Application < Rails::Application\n    config.api_only = true\n{}  end\nend\n"
    )
    files = shop(Gemfile="gem 'devise'\n")
    fault = linted(**files, config__application_dot_rb=config.format(""))["rails-session-without-middleware"]
    assert fault.where.line == 3
    used = config.format("    config.middleware.use ActionDispatch::Session::CookieStore\n")
    assert linted(**files, config__application_dot_rb=used) == {}
    jwt = {**files, "Gemfile": "gem 'devise'\ngem 'devise-jwt'\n"}
    assert linted(**jwt, config__application_dot_rb=config.format("")) == {}


def test_basic_that_devise_does_not_read() -> None:
    devise = "Devise.setup do |config|\n  config.http_authenticatable = {}\nend\n"
    files = shop(config__initializers__devise_dot_rb=devise.format("false"))
    fault = found(files, Authorization="Basic YWxpY2U6c2VjcmV0")["rails-basic-not-taken"]
    assert (fault.where.line, fault.edits[0].new) == (2, ("  config.http_authenticatable = true",))
    sound = shop(config__initializers__devise_dot_rb=devise.format("true"))
    assert "rails-basic-not-taken" not in found(sound, Authorization="Basic YWxpY2U6c2VjcmV0")
    assert "rails-basic-not-taken" not in found(files, Authorization=TOKEN)


def test_session_emptied_for_want_of_a_token() -> None:
    files = shop("protect_from_forgery with: :null_session", "Base")
    fault = found(files, method="POST", Cookie="_shop_session=x")["rails-session-emptied"]
    assert fault.where.line == 2
    assert "rails-session-emptied" not in found(
        files, method="POST", Cookie="_shop_session=x", X_CSRF_Token="y"
    )
    assert "rails-session-emptied" not in found(files, Cookie="_shop_session=x")
    assert "rails-session-emptied" not in found(
        shop("skip_forgery_protection", "Base"), method="POST", Cookie="a=x"
    )


def test_token_that_the_page_cannot_read() -> None:
    head = "Rails.application.config.middleware.insert_before 0, Rack::Cors do\n"
    cors = head + "  allow do\n    resource '*', headers: :any{}\n  end\nend\n"
    files = shop(Gemfile="gem 'devise-jwt'\n")
    hidden = {**files, "config__initializers__cors_dot_rb": cors.format("")}
    assert found(hidden, Origin="http://spa.test")["rails-token-not-exposed"].where.line == 3
    told = {**files, "config__initializers__cors_dot_rb": cors.format(", expose: ['Authorization']")}
    assert "rails-token-not-exposed" not in found(told, Origin="http://spa.test")
    assert "rails-token-not-exposed" not in found(hidden)


@pytest.mark.parametrize(
    ("option", "faulty"),
    [("secure: true", True), ("domain: 'other.test'", True), ("domain: '.shop.test'", False)],
)
def test_cookie_of_the_session(option: str, faulty: bool) -> None:
    store = f"Rails.application.config.session_store :cookie_store, key: '_shop', {option}\n"
    files = shop(
        "before_action :authenticate_user!", "Base", config__initializers__session_store_dot_rb=store
    )
    assert ("rails-session-cookie" in found(files)) is faulty
