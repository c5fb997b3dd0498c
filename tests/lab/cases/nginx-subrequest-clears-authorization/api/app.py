"""Orders, and the check by which nginx asks whether somebody may see them."""

from flask import Flask, request

app = Flask(__name__)


@app.get("/check")
def check():
    if request.headers.get("Authorization") != "Bearer t-77c1f0e2d3":
        return "", 401, {"WWW-Authenticate": 'Bearer realm="orders"'}
    return ""


@app.get("/orders")
def orders():
    return {"orders": []}
