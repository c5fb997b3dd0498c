const { NodeTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-node");
const { OTLPTraceExporter } = require("@opentelemetry/exporter-trace-otlp-" + process.argv[2]);
const { SpanKind } = require("@opentelemetry/api");
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())] });
const span = provider.getTracer("test").startSpan("GET /v1/charges", { kind: SpanKind.SERVER });
span.setAttributes({ "http.request.method": "GET", "http.response.status_code": 401, "http.route": "/v1/charges",
  "server.address": "api.example.com", "url.scheme": "https" });
span.end();
provider.forceFlush().then(() => provider.shutdown()).then(() => process.exit(0));
