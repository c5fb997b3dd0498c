import express from "express";
import session from "express-session";

const app = express();

function guard(request, response, next) {
  if (!request.session?.user) {
    return response.status(401).json({ error: "not signed in" });
  }
  next();
}

app.use("/account", guard);
app.use(session({ secret: "a-long-enough-secret-of-this-lab-01", resave: false, saveUninitialized: false }));

app.get("/account", (request, response) => response.json(request.session.user));

app.listen(Number(process.env.PORT), "127.0.0.1");
