import express from "express";
import jwt from "jsonwebtoken";

const SECRET = "a-long-enough-secret-of-this-lab-01";
const app = express();

function guard(request, response, next) {
  const token = (request.headers.authorization ?? "").split(" ")[1];
  try {
    request.user = jwt.verify(token, SECRET, { audience: "orders" });
    next();
  } catch {
    response.status(401).json({ error: "not signed in" });
  }
}

app.get("/orders", guard, (request, response) => response.json([]));

app.listen(Number(process.env.PORT), "127.0.0.1");
