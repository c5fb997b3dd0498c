import express from "express";

const KEY = "k-2f6d0a9b41";

export const orders = express.Router();

orders.use((request, response, next) => {
  if (request.headers["x-api-key"] === KEY || request.session.user) return next();
  response.status(401).json({ error: "API key required" });
});

orders.get("/orders", (request, response) => response.json([]));
