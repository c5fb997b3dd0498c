import cors from "cors";
import express from "express";
import session from "express-session";
import { orders } from "./orders.mjs";

const app = express();

app.use(cors({ origin: "https://shop.example", credentials: true }));
app.use(express.json());
app.use(
  session({
    secret: "a-long-enough-secret-of-this-lab-01",
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax", maxAge: 1000 * 60 * 60 },
  }),
);

app.post("/login", (request, response) => {
  if (request.body?.name !== "alice") {
    return response.status(401).json({ error: "wrong name" });
  }
  request.session.user = "alice";
  response.json({ user: "alice" });
});

app.use("/api", orders);

app.listen(Number(process.env.PORT), "127.0.0.1");
