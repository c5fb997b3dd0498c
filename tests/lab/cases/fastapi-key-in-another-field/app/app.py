import secrets

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader

app = FastAPI()
key = APIKeyHeader(name="X-Shop-Key", auto_error=False)


def checked(given: str | None = Depends(key)) -> str:
    if not given:
        raise HTTPException(401, "No key", {"WWW-Authenticate": "ApiKey"})
    if not secrets.compare_digest(given, "lab-key-1"):
        raise HTTPException(401, "Wrong key", {"WWW-Authenticate": "ApiKey"})
    return given


@app.get("/orders", dependencies=[Depends(checked)])
def orders() -> dict[str, list[str]]:
    return {"orders": []}
