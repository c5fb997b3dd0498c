import express from "express";
import passport from "passport";
import { Strategy as BearerStrategy } from "passport-http-bearer";

const users = new Map([["tok-5up3r-long-example", { name: "alice" }]]);

passport.use(new BearerStrategy((token, done) => done(null, users.get(token) ?? false)));

const app = express();
app.use(passport.initialize());

app.get("/orders", passport.authenticate("bearer", { session: false }), (request, response) => {
  response.json({ user: request.user.name, orders: [] });
});

app.listen(Number(process.env.PORT), "127.0.0.1");
