from flask import Flask
from flask_httpauth import HTTPBasicAuth
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
auth = HTTPBasicAuth()
users = {"alice": generate_password_hash("wonderland", method="pbkdf2:sha256:1000")}


def verify_user(name, password):
    return name in users and check_password_hash(users[name], password)


@app.get("/orders")
@auth.login_required
def orders():
    return {"orders": []}
