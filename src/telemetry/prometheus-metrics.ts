import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { Metrics } from "../media/ports.js";

/** Seconds: from a cached read to a long upload. */
const BUCKETS = [0.005, 0.02, 0.1, 0.3, 1, 3, 10, 60];

/** Metrics of one server in a registry of its own, so that two servers in one process do not share counters. */
export function createPrometheusMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: "media_http_request_seconds",
    help: "Time to answer, by method, route and status",
    labelNames: ["method", "route", "status"],
    buckets: BUCKETS,
    registers,
  });
  const uploads = new Histogram({
    name: "media_upload_seconds",
    help: "Time from the checked request to the stored item, by place and outcome (ok or the failure's code)",
    labelNames: ["entity_type", "field", "outcome"],
    buckets: BUCKETS,
    registers,
  });
  const bytes = new Counter({
    name: "media_upload_bytes_total",
    help: "Bytes of stored originals, by place",
    labelNames: ["entity_type", "field"],
    registers,
  });
  return {
    requestFinished: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    uploadFinished: ({ entityType, field, outcome, ...measured }) => {
      uploads.observe({ entity_type: entityType, field, outcome }, measured.seconds);
      if (outcome === "ok") bytes.inc({ entity_type: entityType, field }, measured.bytes);
    },
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
