import time

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

KEY = "lab-key-of-at-least-thirty-two-bytes"

app = FastAPI()
bearer = HTTPBearer()


@app.post("/login")
def login(body: dict[str, str]) -> dict[str, str]:
    if body.get("password") != "wonderland":
        raise HTTPException(401, "Wrong password", {"WWW-Authenticate": "Bearer"})
    claims = {"sub": body["name"], "exp": int(time.time()) + 600}
    return {"token": jwt.encode(claims, KEY, algorithm="HS256")}


def user(credentials: HTTPAuthorizationCredentials = Depends(bearer)) -> str:
    try:
        claims = jwt.decode(credentials.credentials, KEY)
    except jwt.InvalidTokenError as problem:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"}) from problem
    return claims["sub"]


@app.get("/orders")
def orders(name: str = Depends(user)) -> dict[str, str]:
    return {"user": name}
