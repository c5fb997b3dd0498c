from flask import Flask
from flask_httpauth import HTTPDigestAuth

app = Flask(__name__)
app.config["SECRET_KEY"] = "lab-only-0d6f1c"
auth = HTTPDigestAuth()
auth.generate_nonce(lambda: "0b5cdb72")
auth.verify_nonce(lambda nonce: nonce == "0b5cdb72")
auth.generate_opaque(lambda: "5ccc069c")
auth.verify_opaque(lambda opaque: opaque == "5ccc069c")


@auth.get_password
def password(user):
    return {"alice": "wonderland"}.get(user)


@app.get("/orders")
@auth.login_required
def orders():
    return {"orders": []}
