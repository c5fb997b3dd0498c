"""Rails: which action a request comes to, and what the callbacks before it ask for."""

from __future__ import annotations

import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from why401 import layers
from why401.evidence import Fields, Request
from why401.layers import Document
from why401.layers.rails import Rails

pytest.importorskip("tree_sitter_ruby", reason="the grammar of Ruby is not installed")

ROUTES = """Rails.application.routes.draw do
  devise_for :users, path: '', path_names: { sign_in: 'login' }
  root 'home#index'
  get 'about' => 'pages#about'
  namespace :api do
    scope 'v1' do
      resources :orders, only: %i[index show create] do
        post :ship, on: :member
        get :late, on: :collection
      end
      resource :profile
    end
  end
  post '/hooks/:name', to: 'hooks#receive'
  match '/any', to: 'pages#any', via: :all
end
"""
BASE = """class ApplicationController < ActionController::API
  before_action :authenticate_user!
end
"""
ORDERS = """module Api
  class OrdersController < ApplicationController
    skip_before_action :authenticate_user!, only: [:index]
    before_action :check_key, except: %i[index show]
    def index; end
    private
    def check_key
      head :unauthorized unless request.headers['X-Api-Key'] == KEY
    end
  end
end
"""
HOOKS = """class HooksController < ApplicationController
  skip_before_action :authenticate_user!
  before_action :authenticate
  def receive; end
  def authenticate
    authenticate_or_request_with_http_token { |token, _| token == KEY }
  end
end
"""


def project(**more: str) -> Rails:
    files = {"config__routes": ROUTES, "app__controllers__application_controller": BASE, **more}
    documents = [Document(name.replace("__", "/") + ".rb", text) for name, text in files.items()]
    (found,) = (layer for layer in layers.read(documents).layers if isinstance(layer, Rails))
    return found


ALL = {"app__controllers__api__orders_controller": ORDERS, "app__controllers__hooks_controller": HOOKS}


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/login", "devise/sessions#create"),
        ("GET", "/", "home#index"),
        ("GET", "/about", "pages#about"),
        ("GET", "/api/v1/orders", "api/orders#index"),
        ("GET", "/api/v1/orders/7.json", "api/orders#show"),
        ("POST", "/api/v1/orders/7/ship", "api/orders#ship"),
        ("GET", "/api/v1/orders/late", "api/orders#show"),  # the resource's own routes stand first
        ("PATCH", "/api/v1/profile", "api/profiles#update"),
        ("POST", "/hooks/github", "hooks#receive"),
        ("DELETE", "/any", "pages#any"),
        ("DELETE", "/api/v1/orders/7", ""),
    ],
)
def test_routes(method: str, path: str, name: str) -> None:
    found = project().meets(Request(method, f"http://shop.test{path}", Fields()))
    assert [route.name for route in found] == ([name] if name else [])


@pytest.mark.parametrize(
    ("method", "path", "demands"),
    [
        ("GET", "/api/v1/orders", []),
        ("GET", "/api/v1/orders/7", [("devise", "user", 2)]),
        ("POST", "/api/v1/orders", [("devise", "user", 2), ("field", "X-Api-Key", 4)]),
        ("POST", "/hooks/x", [("scheme", "Token", 3), ("scheme", "Bearer", 3)]),
    ],
)
def test_callbacks(method: str, path: str, demands: list[tuple[str, str, int]]) -> None:
    (route,) = project(**ALL).meets(Request(method, f"http://shop.test{path}", Fields()))
    assert [(d.respect, d.value, d.source.line) for d in route.demands] == demands


_WORDS = st.sampled_from(
    ["Rails.application.routes.draw do\n", "resources :a", " do\n", "end\n", "namespace :x", ", only: [:a]",
     "class AController", " < ApplicationController\n", "before_action :b", ", except: %i[c]", "def b\n",
     "get 'a', to: 'b#c'\n", "=> 'x#y'", "scope(", ")", "devise_for :users", "skip_before_action", "\n", "-> { x }"]
)  # fmt: skip


@over(st.lists(_WORDS, max_size=40))
def test_nothing_breaks_it(words: list[str]) -> None:
    text = "".join(words)
    documents = [Document("config/routes.rb", ROUTES), Document("app/controllers/a_controller.rb", text)]
    for layer in layers.read([*documents, Document("config/routes/b.rb", text)]).layers:
        layer.routes()
        layer.meets(Request("GET", "http://shop.test/a/b", Fields()))
