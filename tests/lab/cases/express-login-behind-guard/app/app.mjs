import express from "express";
import jwt from "jsonwebtoken";

const SECRET = "a-long-enough-secret-of-this-lab-01";
const app = express();

function guard(request, response, next) {
  const token = (request.headers.authorization ?? "").split(" ")[1];
  try {
    request.user = jwt.verify(token, SECRET);
    next();
  } catch {
    response.status(401).json({ error: "not signed in" });
  }
}

app.use(express.json());
app.use(guard);

app.post("/login", (request, response) => {
  const { name, password } = request.body;
  if (name !== "alice" || password !== "wonderland") {
    return response.status(401).json({ error: "wrong name or password" });
  }
  response.json({ token: jwt.sign({ sub: name }, SECRET) });
});

app.listen(Number(process.env.PORT), "127.0.0.1");
