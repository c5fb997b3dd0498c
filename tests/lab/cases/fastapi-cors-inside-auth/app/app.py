from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=["https://shop.example"],
    allow_methods=["GET"],
    allow_headers=["Authorization"],
)


@app.middleware("http")
async def authenticate(request: Request, call_next):
    if request.headers.get("Authorization") != "Bearer lab-token":
        return JSONResponse({"detail": "Not authenticated"}, status_code=401)
    return await call_next(request)


@app.get("/orders")
def orders():
    return {"orders": []}
