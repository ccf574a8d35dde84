import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createRedisBuckets, type RedisBuckets } from "../../src/limits/redis-buckets.js";
import { describeRateLimits } from "../contracts/rate-limits.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

describe("buckets in Redis", () => {
  let server: RedisServer;
  let buckets: RedisBuckets;
  let inspector: Redis;

  beforeAll(async () => {
    server = await startRedis();
    buckets = createRedisBuckets(server.url);
    inspector = new Redis(server.url);
    await buckets.connect();
  });
  afterAll(async () => {
    buckets.close();
    inspector.disconnect();
    await server.stop();
  });

  describeRateLimits(() => buckets.limits);

  const KEY = "artitec-media:rate:aged:a";
  /** As if the bucket had last been used so long before now. */
  const age = async (milliseconds: number) => {
    await inspector.hincrby(KEY, "at", -milliseconds);
  };

  it("fill up evenly, to the brim and not beyond, by the clock of Redis", async () => {
    const limit = buckets.limits({ name: "aged", perMinute: 2 });
    expect([await limit.take("a"), await limit.take("a")]).toEqual([null, null]);
    expect(await limit.take("a")).toBeGreaterThan(0);
    await age(30_000);
    expect(await limit.take("a")).toBeNull();
    expect(await limit.take("a")).toBeGreaterThan(0);
    await age(10_000_000);
    expect([await limit.take("a"), await limit.take("a")]).toEqual([null, null]);
    expect(await limit.take("a")).toBeGreaterThan(0);
  });

  it("are not emptied by a clock that steps back", async () => {
    const limit = buckets.limits({ name: "aged", perMinute: 2 });
    await inspector.del(KEY);
    await limit.take("a");
    await age(-600_000);
    expect(await limit.take("a")).toBeNull();
    expect(await limit.take("a")).toBeGreaterThan(0);
  });

  it("are gone from Redis when they are full again", async () => {
    const limit = buckets.limits({ name: "aged", perMinute: 3 });
    await inspector.del(KEY);
    await limit.take("a");
    const once = await inspector.pttl(KEY);
    expect(once).toSatisfy((left) => left > 0 && left <= 20_000);
    await limit.take("a");
    expect(await inspector.pttl(KEY)).toSatisfy((left) => left > once && left <= 40_000);
    await limit.giveBack("a");
    await limit.giveBack("a");
    expect(await inspector.exists(KEY)).toBe(0);
  });

  it("take one command and one round trip each, once Redis knows the script", async () => {
    const limit = buckets.limits({ name: "traffic", perMinute: 100 });
    const calls = async () => {
      const stats = await inspector.info("commandstats");
      return Object.fromEntries(
        [...stats.matchAll(/^cmdstat_(eval\w*):calls=(\d+)/gm)].map(([, n, c]) => [n, Number(c)]),
      );
    };
    await limit.take("a");
    const before = await calls();
    for (let call = 0; call < 10; call++) await limit.take("a");
    expect(await calls()).toEqual({ ...before, evalsha: (before.evalsha ?? 0) + 10 });
  });

  it("go on when Redis has forgotten the script", async () => {
    const limit = buckets.limits({ name: "forgotten", perMinute: 1 });
    expect(await limit.take("a")).toBeNull();
    await inspector.script("FLUSH");
    expect(await limit.take("a")).toBeGreaterThan(0);
  });

  it("are the same for all that look into the same Redis", async () => {
    const other = createRedisBuckets(server.url);
    await other.connect();
    const rule = { name: "shared", perMinute: 2 };
    expect([await buckets.limits(rule).take("a"), await other.limits(rule).take("a")]).toEqual([null, null]);
    expect(await buckets.limits(rule).take("a")).toBeGreaterThan(0);
    expect(await other.limits(rule).take("a")).toBeGreaterThan(0);
    other.close();
  });

  it("are each database's own", async () => {
    const other = createRedisBuckets(`${server.url}/1`);
    await other.connect();
    const rule = { name: "database", perMinute: 1 };
    expect([await buckets.limits(rule).take("a"), await other.limits(rule).take("a")]).toEqual([null, null]);
    other.close();
  });

  it("without a line say so at once, and why", async () => {
    const nowhere = createRedisBuckets("redis://127.0.0.1:1");
    await expect(nowhere.connect()).rejects.toThrow(/closed|ECONNREFUSED/);
    await expect(nowhere.limits({ name: "none", perMinute: 1 }).take("a")).rejects.toThrow(/writeable|closed/);
    expect(nowhere.connectionFailure()).toMatch(/ECONNREFUSED/);
    nowhere.close();
  });
});
