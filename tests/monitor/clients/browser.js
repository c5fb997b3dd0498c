// Bundled for the page of a test, which calls these.
import { Notifier } from "@airbrake/browser";
import * as Sentry from "@sentry/browser";

window.reportToSentry = async (dsn) => {
  Sentry.init({ dsn, environment: "test" });
  Sentry.captureException(new Error("401 Unauthorized for url: https://api.example.com/v1/charges"));
  return Sentry.flush(8000);
};
window.reportToAirbrake = async (host, projectId, projectKey) => {
  const notifier = new Notifier({ host, projectId, projectKey, environment: "test", remoteConfig: false });
  const notice = await notifier.notify(new Error("403 Forbidden for url: https://api.example.com/v1/charges"));
  return notice.error ? String(notice.error) : notice.id;
};
window.refuse = async (dsn, url) => {
  const failed = { failedRequestStatusCodes: [401, 403, 407, [500, 599]] };
  Sentry.init({ dsn, environment: "test", integrations: [Sentry.httpClientIntegration(failed)], sendDefaultPii: true });
  await fetch(url, { method: "POST", body: "{}" });
  return Sentry.flush(8000);
};
