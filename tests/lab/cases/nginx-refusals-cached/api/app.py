"""A small API that wants its key in X-API-Key."""

from flask import Flask, request

app = Flask(__name__)
keys = set()


@app.get("/orders")
def orders():
    key = request.headers.get("X-API-Key")
    if key not in keys:
        keys.add(key)  # it is known from the next request on
        return {"error": "API key required"}, 401
    return {"orders": []}
