import express from "express";
import jwt from "jsonwebtoken";
import cors from "cors";

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

app.use(cors({ origin: "https://shop.example", credentials: true }));
app.use(express.json());

app.post("/login", (request, response) => {
  const { name, password } = request.body;
  if (name !== "alice" || password !== "wonderland") {
    return response.status(401).json({ error: "wrong name or password" });
  }
  response.json({ token: jwt.sign({ sub: name, aud: "orders" }, SECRET) });
});

app.get("/orders", guard, (request, response) => response.json([]));

app.listen(Number(process.env.PORT), "127.0.0.1");
