import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../support/free-port.js";
import { createApi } from "../support/server.js";
import { startWorkerd, type WorkerdServer } from "../support/workerd-server.js";

let worker: WorkerdServer;

beforeAll(async () => {
  const nobody = `127.0.0.1:${await freePort()}`;
  worker = await startWorkerd({
    env: {
      BASE_URL: "https://media.example.org",
      DATABASE_URL: `mysql://media:secret@${nobody}/media`,
      S3_ENDPOINT_URL: `http://${nobody}`,
      S3_BUCKET_NAME: "media",
      AWS_ACCESS_KEY_ID: "key",
      AWS_SECRET_ACCESS_KEY: "secret",
      SERVICE_TOKEN: "service-token-of-the-tests",
      SIGNING_SECRET: "signing-secret-of-the-tests",
      RATE_LIMIT: "3",
      TRUST_PROXY: "true",
      LOG_LEVEL: "info",
    },
  });
});
afterAll(() => worker.stop());

const from = (address: string) => ({ headers: { "cf-connecting-ip": address } });

it("a worker whose database is away is alive and not ready, and says when to come back", async () => {
  const api = createApi(worker.baseUrl);
  expect((await api.call("GET", "/healthz")).status).toBe(200);
  const checks = { database: "unavailable", storage: "unavailable" };
  expect(await api.call("GET", "/readyz")).toMatchObject({ status: 503, body: { checks } });
  const answer = await api.call("GET", "/v1/media/1", from("192.0.2.1"));
  expect(answer).toMatchObject({ status: 503, body: { code: "DATABASE_UNAVAILABLE" } });
  expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
  expect(JSON.stringify(answer.body)).not.toMatch(/127\.0\.0\.1|secret/);
});

it("a worker limits calls by the address its platform names", async () => {
  const api = createApi(worker.baseUrl);
  const statuses: number[] = [];
  for (let call = 0; call < 4; call++) statuses.push((await api.call("GET", "/v1/nothing", from("192.0.2.2"))).status);
  expect(statuses).toEqual([404, 404, 404, 429]);
  expect((await api.call("GET", "/v1/nothing", from("192.0.2.3"))).status).toBe(404);
});
