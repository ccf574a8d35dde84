import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Metrics } from "../media/ports.js";

/** Counters and durations, and the page Prometheus reads them from. */
export type PrometheusMetrics = Metrics & {
  /** The text exposition format. */
  render(): Promise<{ contentType: string; body: string }>;
};

/** Seconds: from a cached read to a long upload. */
const BUCKETS = [0.005, 0.02, 0.1, 0.3, 1, 3, 10, 60];

/** Metrics of one server in a registry of its own, so that two servers in one process do not share counters. */
export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    ...requestMetrics([registry]),
    ...storageMetrics([registry]),
    ...limitMetrics([registry]),
    ...upkeepMetrics([registry]),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

function requestMetrics(
  registers: Registry[],
): Pick<Metrics, "requestFinished" | "uploadFinished" | "renditionFinished"> {
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
  const renditions = new Histogram({
    name: "media_rendition_seconds",
    help: "Time to make a picture on demand, by type and outcome (made, unfit: not clearly smaller, or the failure's code)",
    labelNames: ["content_type", "outcome"],
    buckets: BUCKETS,
    registers,
  });
  return {
    renditionFinished: ({ contentType, outcome, seconds }) =>
      renditions.observe({ content_type: contentType, outcome }, seconds),
    requestFinished: ({ method, route, status, seconds }) => requests.observe({ method, route, status }, seconds),
    uploadFinished: ({ entityType, field, outcome, ...measured }) => {
      uploads.observe({ entity_type: entityType, field, outcome }, measured.seconds);
      if (outcome === "ok") bytes.inc({ entity_type: entityType, field }, measured.bytes);
    },
  };
}

function storageMetrics(registers: Registry[]): Pick<Metrics, "storageAnswered" | "storageAvailable"> {
  const answers = new Histogram({
    name: "media_storage_seconds",
    help: "Time of a request to an object store, by store, operation and outcome (failed: it did not answer)",
    labelNames: ["store", "operation", "outcome"],
    buckets: BUCKETS,
    registers,
  });
  const available = new Gauge({
    name: "media_storage_available",
    help: "0 while requests to the store are held back because it did not answer",
    labelNames: ["store"],
    registers,
  });
  return {
    storageAnswered: ({ seconds, ...labels }) => answers.observe(labels, seconds),
    storageAvailable: (store, isAvailable) => available.set({ store }, isAvailable ? 1 : 0),
  };
}

function limitMetrics(registers: Registry[]): Pick<Metrics, "rateLimitsShared"> {
  const shared = new Gauge({
    name: "media_rate_limits_shared",
    help: "0 while the place where servers share their rate limits does not answer and each counts alone",
    labelNames: ["through"],
    registers,
  });
  return { rateLimitsShared: (isShared) => shared.set({ through: "redis" }, isShared ? 1 : 0) };
}

function upkeepMetrics(registers: Registry[]): Pick<Metrics, "retired" | "backlog" | "storageCompared"> {
  const retired = new Counter({
    name: "media_retired_total",
    help: "What went because its time was over, by kind",
    labelNames: ["kind"],
    registers,
  });
  const waiting = new Gauge({
    name: "media_backlog",
    help: "What waits or is wrong as of the last sweep: deletions, promotions, missing, orphaned, stale",
    labelNames: ["kind"],
    registers,
  });
  const compared = new Gauge({
    name: "media_storage_compared_timestamp_seconds",
    help: "End of the last whole comparison of rows and objects, Unix time",
    registers,
  });
  return {
    retired: (kind, count) => retired.inc({ kind }, count),
    backlog: (backlog) => {
      for (const [kind, count] of Object.entries(backlog)) waiting.set({ kind }, count);
    },
    storageCompared: (at) => compared.set(at.getTime() / 1000),
  };
}
