import express from "express";

const KEY = "k-2f6d0a9b41";
const app = express();

function keyed(request, response, next) {
  const key = request.headers["X-API-Key"];
  if (key !== KEY) {
    return response.status(401).json({ error: "API key required" });
  }
  next();
}

app.get("/orders", keyed, (request, response) => response.json([]));

app.listen(Number(process.env.PORT), "127.0.0.1");
