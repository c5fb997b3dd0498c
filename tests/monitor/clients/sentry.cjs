const Sentry = require("@sentry/node");
Sentry.init({ dsn: process.argv[2], release: "shop@2", environment: "test" });
function charge(token) { throw new Error("401 Unauthorized for url: https://api.example.com/v1/charges " + token); }
try { charge("Bearer s3cr3t-value-0123456789"); } catch (error) { Sentry.captureException(error); }
Sentry.flush(8000).then((sent) => process.exit(sent ? 0 : 1));
