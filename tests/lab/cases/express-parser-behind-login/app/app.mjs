import express from "express";
import jwt from "jsonwebtoken";

const SECRET = "a-long-enough-secret-of-this-lab-01";
const app = express();

app.post("/login", (request, response) => {
  const { name, password } = request.body ?? {};
  if (name !== "alice" || password !== "wonderland") {
    return response.status(401).json({ error: "wrong name or password" });
  }
  response.json({ token: jwt.sign({ sub: name }, SECRET, { expiresIn: "1h" }) });
});

app.use(express.json());

app.listen(Number(process.env.PORT), "127.0.0.1");
