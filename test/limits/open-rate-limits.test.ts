import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RateLimiter } from "../../src/accounts/rate-limits.js";
import { type OpenRateLimits, openRateLimits } from "../../src/limits/open-rate-limits.js";
import { createPrometheusMetrics } from "../../src/telemetry/prometheus-metrics.js";
import { createRecordingLog } from "../support/recording-log.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.js";

/** As slow to refill as can be: nothing here hangs on how long a test takes. */
const RULE = { name: "rule", perMinute: 1 };
const AWAY = "Redis does not answer: rate limits are counted in this process alone";
const BACK = "Redis answers again: rate limits are shared";

let redis: RedisServer;
let line: TcpProxy;
let opened: OpenRateLimits[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  line = await startTcpProxy(redis.port);
});
afterEach(() => {
  for (const one of opened) one.close();
  opened = [];
  line.close();
});

async function open(url: string | undefined) {
  const [log, metrics] = [createRecordingLog(), createPrometheusMetrics()];
  const clock = { now: () => new Date(), pause: (milliseconds: number) => sleep(milliseconds) };
  const limits: OpenRateLimits = await openRateLimits(url, { log, metrics, clock });
  opened.push(limits);
  return {
    ...limits,
    log,
    messages: () => log.lines.map(({ message }) => message),
    /** The sample's value; undefined where there is none. */
    shared: async () => /^media_rate_limits_shared\{.*\} (\d)/m.exec((await metrics.render()).body)?.[1],
  };
}
const throughLine = () => open(`redis://127.0.0.1:${line.port}`);

let callers = 0;
const someone = (): string => `caller ${++callers}`;
/** Whether one call of somebody new is let through and a second is not. */
const limits = async ({ take }: RateLimiter): Promise<boolean> => {
  const caller = someone();
  return (await take(caller)) === null && (await take(caller)) !== null;
};

describe("without a Redis", () => {
  it("calls are counted in the process, and nothing is said of sharing", async () => {
    const [one, other] = [await open(undefined), await open(undefined)];
    expect(await one.rateLimits(RULE).take("a")).toBeNull();
    expect(await one.rateLimits(RULE).take("a")).toBeGreaterThan(0);
    expect(await other.rateLimits(RULE).take("a")).toBeNull();
    expect([one.messages(), await one.shared()]).toEqual([[], undefined]);
  });
});

describe("while Redis answers", () => {
  it("calls are counted together, and nothing is logged", async () => {
    const [one, other] = [await throughLine(), await throughLine()];
    const caller = someone();
    expect(await one.rateLimits(RULE).take(caller)).toBeNull();
    expect(await other.rateLimits(RULE).take(caller)).toBeGreaterThan(0);
    await other.rateLimits(RULE).giveBack(caller);
    expect(await one.rateLimits(RULE).take(caller)).toBeNull();
    expect([one.messages(), await one.shared()]).toEqual([[], "1"]);
  });
});

/** Ways for Redis to be away, and back. What it counted before may be lost. */
const OUTAGES: Record<string, { begin(): Promise<void> | void; end(): Promise<void> | void; reason: RegExp }> = {
  "was killed and started again": {
    begin: () => redis.kill(),
    end: () => redis.restart(),
    reason: /ECONNREFUSED|ECONNRESET|the connection was closed|writeable/,
  },
  "takes connections and never answers": {
    begin: () => line.stall(),
    end: () => line.accept(),
    reason: /no answer within 250 ms/,
  },
};

describe.each(Object.keys(OUTAGES))("while Redis %s", (name) => {
  const { begin, end, reason } = OUTAGES[name] as (typeof OUTAGES)[string];

  it("each process counts by itself, says so once, and shares again when it is over", async () => {
    const one = await throughLine();
    const limiter = one.rateLimits(RULE);
    expect(await limits(limiter)).toBe(true);
    await begin();
    // The first calls find out, all at once as well.
    await Promise.all(Array.from({ length: 20 }, () => limiter.take(someone())));
    for (let call = 0; call < 20; call++) expect(await limits(limiter)).toBe(true);
    expect(await one.shared()).toBe("0");
    expect(one.log.lines).toEqual([
      { level: "warn", message: AWAY, fields: { reason: expect.stringMatching(reason) } },
    ]);

    await end();
    await expect
      .poll(async () => [await limits(limiter), await one.shared()], { timeout: 15_000 })
      .toEqual([true, "1"]);
    expect(one.messages()).toEqual([AWAY, BACK]);
    const caller = someone();
    expect(await limiter.take(caller)).toBeNull();
    const other = await throughLine();
    expect(await other.rateLimits(RULE).take(caller)).toBeGreaterThan(0);
  });
});

describe("where Redis", () => {
  it("does not answer at the start, calls are counted in the process until it does", async () => {
    line.stall();
    const one = await throughLine();
    const limiter = one.rateLimits(RULE);
    for (let call = 0; call < 5; call++) expect(await limits(limiter)).toBe(true);
    expect(one.messages()).toEqual([AWAY]);
    await line.accept();
    await expect
      .poll(async () => [await limits(limiter), await one.shared()], { timeout: 15_000 })
      .toEqual([true, "1"]);
    expect(one.messages()).toEqual([AWAY, BACK]);
  });

  it("refuses the password, the log says so and does not tell it", async () => {
    const inspector = new Redis(redis.url);
    await inspector.config("SET", "requirepass", "right");
    const one = await open(`redis://user:not-the-password@127.0.0.1:${redis.port}`);
    for (let call = 0; call < 5; call++) expect(await limits(one.rateLimits(RULE))).toBe(true);
    await inspector.config("SET", "requirepass", "");
    inspector.disconnect();
    expect(one.messages()).toEqual([AWAY]);
    expect(JSON.stringify(one.log.lines)).toMatch(/WRONGPASS/);
    expect(JSON.stringify(one.log.lines)).not.toMatch(/not-the-password/);
  });
});
