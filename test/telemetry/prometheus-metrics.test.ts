import { readFile } from "node:fs/promises";
import { getTableName } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import * as schema from "../../db/schema/sqlite.js";
import { createPrometheusMetrics } from "../../src/telemetry/prometheus-metrics.js";

/** Lines of samples, without those of Node itself. */
const samplesOf = (body: string): string[] => body.split("\n").filter((line) => line.startsWith("media_"));

describe("the metrics", () => {
  it("count what they are told, each under its labels", async () => {
    const metrics = createPrometheusMetrics();
    metrics.requestFinished({ method: "GET", route: "/files/*", status: 200, seconds: 0.01 });
    metrics.uploadFinished({ entityType: "user", field: "avatar", outcome: "ok", bytes: 1000, seconds: 0.2 });
    metrics.uploadFinished({ entityType: "user", field: "avatar", outcome: "CORRUPT_FILE", bytes: 0, seconds: 0.1 });
    metrics.renditionFinished({ contentType: "image/avif", outcome: "unfit", seconds: 0.2 });
    metrics.storageAnswered({ store: "s3", operation: "put", outcome: "failed", seconds: 3 });
    metrics.storageAvailable("s3", false);
    metrics.rateLimitsShared(false);
    metrics.retired("trash", 2);
    metrics.retired("trash", 1);
    metrics.backlog({ deletions: 4, promotions: 3, missing: 2, orphaned: 1, stale: 5 });
    metrics.storageCompared(new Date("2026-05-04T03:02:01Z"));
    const samples = samplesOf((await metrics.render()).body);
    expect(samples).toEqual(
      expect.arrayContaining([
        'media_http_request_seconds_count{method="GET",route="/files/*",status="200"} 1',
        'media_upload_seconds_count{entity_type="user",field="avatar",outcome="CORRUPT_FILE"} 1',
        'media_upload_bytes_total{entity_type="user",field="avatar"} 1000',
        'media_rendition_seconds_count{content_type="image/avif",outcome="unfit"} 1',
        'media_storage_seconds_count{store="s3",operation="put",outcome="failed"} 1',
        'media_storage_available{store="s3"} 0',
        'media_rate_limits_shared{through="redis"} 0',
        'media_retired_total{kind="trash"} 3',
        'media_backlog{kind="deletions"} 4',
        'media_backlog{kind="promotions"} 3',
        'media_backlog{kind="missing"} 2',
        'media_backlog{kind="orphaned"} 1',
        'media_backlog{kind="stale"} 5',
        "media_storage_compared_timestamp_seconds 1777863721",
      ]),
    );
  });

  it("of one server are not those of another in the same process", async () => {
    const [one, other] = [createPrometheusMetrics(), createPrometheusMetrics()];
    one.retired("orphan", 5);
    expect((await other.render()).body).not.toContain('kind="orphan"');
  });

  it("say nothing of shared limits where nothing is shared", async () => {
    expect(samplesOf((await createPrometheusMetrics().render()).body).join()).not.toContain("media_rate_limits_shared");
  });

  it("are those that the operations guide names, and no others", async () => {
    const guide = await readFile(new URL("../../docs/operations.md", import.meta.url), "utf8");
    const tables: string[] = Object.values(schema).map((table) => getTableName(table));
    const named = [...guide.matchAll(/\bmedia_[a-z_]+/g)]
      .map(([name]) => name.replace(/_(count|sum|bucket)$/, ""))
      .filter((name) => !tables.includes(name));
    const { body } = await createPrometheusMetrics().render();
    const rendered = [...body.matchAll(/^# TYPE (media_\w+)/gm)].map((match) => match[1] ?? "");
    expect([...new Set(named)].sort()).toEqual(rendered.sort());
  });
});
