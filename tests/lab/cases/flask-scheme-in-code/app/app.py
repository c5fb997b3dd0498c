from functools import wraps

from flask import Flask, jsonify, request

app = Flask(__name__)
app.config["API_TOKEN"] = "lab-token"


def token_required(view):
    @wraps(view)
    def checked(*args, **kwargs):
        given = request.headers.get("Authorization", "")
        if not given:
            return jsonify(error="no token"), 401
        if not given.startswith("Token "):
            return jsonify(error="no token of ours"), 401
        if given.split(" ", 1)[1] != app.config["API_TOKEN"]:
            return jsonify(error="wrong token"), 401
        return view(*args, **kwargs)

    return checked


@app.get("/orders")
@token_required
def orders():
    return {"orders": []}
