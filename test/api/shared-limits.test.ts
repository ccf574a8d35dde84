import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

describe("two servers over one Redis", () => {
  let redis: RedisServer;
  let servers: [TestServer, TestServer];
  beforeAll(async () => {
    redis = await startRedis();
    const env = { RATE_LIMIT: "2", TRUST_PROXY: "true", REDIS_URL: redis.url };
    servers = [await startTestServer(env), await startTestServer(env)];
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await redis.stop();
  });

  const both = <T>(act: (server: TestServer) => Promise<T>): Promise<[T, T]> =>
    Promise.all([act(servers[0]), act(servers[1])]);
  let addresses = 0;
  const address = (): string => `192.0.2.${++addresses}`;
  const statuses = async (calls: number, call: (server: TestServer) => Promise<{ status: number }>) => {
    const seen: number[] = [];
    for (let index = 0; index < calls; index++) seen.push((await call(servers[index % 2] as TestServer)).status);
    return seen;
  };

  it("let a principal through as often as one would", async () => {
    const tokens = new Map(await both(async (server) => [server, await server.user("USR-1")] as const));
    const me = (server: TestServer) => server.call("GET", "/v1/auth/me", { token: tokens.get(server) });
    expect(await statuses(2, me)).toEqual([200, 200]);
    for (const refused of await both(me)) {
      expect([refused.status, refused.body.code]).toEqual([429, "RATE_LIMITED"]);
      expect(Number(refused.headers.get("retry-after"))).toSatisfy((seconds) => seconds >= 1 && seconds <= 30);
    }
  });

  it("let an address fail to sign in as often as one would", async () => {
    const headers = { "x-forwarded-for": address() };
    // By a service, whose calls go free, and without what would take time.
    const fail = (server: TestServer) =>
      server.call("POST", "/v1/auth/login", { body: {}, headers, token: SERVICE_TOKEN });
    const start = Date.now();
    const seen = (await Promise.all(Array.from({ length: 12 }, () => both(fail)))).flat().map(({ status }) => status);
    const refilled = Math.ceil((Date.now() - start) / 6000);
    expect(new Set(seen)).toEqual(new Set([400, 429]));
    expect(seen.filter((status) => status !== 429).length).toBeLessThanOrEqual(10 + refilled);
  });

  it("stay ready and go on limiting, each for itself, while Redis is away, and together when it is back", async () => {
    const from = (given: string) => (server: TestServer) =>
      server.call("GET", "/v1/auth/me", { headers: { "x-forwarded-for": given } });
    const sharing = async (server: TestServer) =>
      /^media_rate_limits_shared\{.*\} (\d)/m.exec(await (await fetch(`${server.baseUrl}/metrics`)).text())?.[1];
    await redis.kill();
    const [lone, ready] = [address(), await both((server) => server.call("GET", "/readyz"))];
    expect(await statuses(6, from(lone))).toEqual([401, 401, 401, 401, 429, 429]);
    expect([ready.map(({ status }) => status), await both(sharing)]).toEqual([
      [200, 200],
      ["0", "0"],
    ]);
    await redis.restart();
    await expect
      .poll(async () => both(async (s) => [(await from(address())(s)).status, await sharing(s)]), { timeout: 15_000 })
      .toEqual([
        [401, "1"],
        [401, "1"],
      ]);
    expect(await statuses(4, from(address()))).toEqual([401, 401, 429, 429]);
  });
});
