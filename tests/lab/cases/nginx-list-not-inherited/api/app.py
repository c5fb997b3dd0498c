"""A small API that wants its key in X-API-Key."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/orders")
def orders():
    if request.headers.get("X-API-Key") != "k-2f6d0a9b41":
        return {"error": "API key required"}, 401
    return {"orders": []}
