from flask import Flask, jsonify, request

app = Flask(__name__)


@app.before_request
def known():
    if request.headers.get("Authorization") != "Bearer lab-token":
        return jsonify(error="log in first"), 401
    return None


@app.get("/orders")
def orders():
    return {"orders": []}


@app.post("/login")
def login():
    if request.headers.get("X-Password") != "wonderland":
        return jsonify(error="wrong password"), 401
    return {"token": "lab-token"}
