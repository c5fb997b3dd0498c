const { Notifier } = require("@airbrake/node");
const [, , host, id, key] = process.argv;
const notifier = new Notifier({ host, projectId: Number(id), projectKey: key, environment: "test", remoteConfig: false });
const route = notifier.routes.start("GET", "/v1/charges", 401, "application/json");
notifier.notify(new Error("403 Forbidden for url: https://api.example.com/v1/charges")).then(async (notice) => {
  route.statusCode = 401;
  notifier.routes.notify(route);
  await notifier.flush(8000);
  setTimeout(() => process.exit(notice.id ? 0 : 1), 500);
});
