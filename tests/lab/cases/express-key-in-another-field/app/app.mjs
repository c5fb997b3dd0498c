import express from "express";

const app = express();

app.use((request, response, next) => {
  if (request.get("x-api-key") !== "k-2f6d0a9b41") {
    return response.status(401).json({ error: "key required" });
  }
  next();
});

app.get("/orders", (request, response) => response.json([]));

app.listen(Number(process.env.PORT), "127.0.0.1");
