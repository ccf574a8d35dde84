import { Redis, type Result } from "ioredis";
import type { RateLimits } from "../accounts/rate-limits.js";
import { CALL } from "./token-buckets.js";

/**
 * One round trip for one bucket, which nothing comes between. By the clock of Redis, so that servers need not agree on
 * the time. A bucket that is full again is as good as none: its key expires then.
 */
const CHANGE_BUCKET = `
local perMinute, full, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call("TIME")
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = redis.call("HMGET", KEYS[1], "level", "at")
local level = full
if bucket[1] then level = math.min(full, bucket[1] + math.max(0, now - bucket[2]) * perMinute) end
if level < cost then return math.ceil((cost - level) / perMinute / 1000) end
level = math.min(full, level - cost)
redis.call("HSET", KEYS[1], "level", level, "at", now)
redis.call("PEXPIRE", KEYS[1], math.ceil((full - level) / perMinute))
return 0
`;

declare module "ioredis" {
  interface RedisCommander<Context> {
    /** Seconds to wait where the bucket holds less than the cost, else 0. A cost below 0 is given back. */
    changeBucket(key: string, perMinute: number, full: number, cost: number): Result<number, Context>;
  }
}

const CONNECT_TIMEOUT_MS = 2000;
const RECONNECT_STEP_MS = 100;
const RECONNECT_LONGEST_MS = 1000;
/** How long a connection that is given up may take to say goodbye. */
const DISCONNECT_TIMEOUT_MS = 100;

export type RedisBuckets = {
  /** Rejects where Redis refuses or the line breaks, at once where there is no line; where it is silent, never. */
  limits: RateLimits;
  /** Resolves once there is a line; rejects where the first attempt fails. Goes on trying in any case. */
  connect(): Promise<void>;
  /** Why there is no line, in words without secrets; null while there is one. */
  connectionFailure(): string | null;
  /** Gives up a line that is silent: what is under way rejects, and a new one is made. */
  reconnect(): void;
  close(): void;
};

/** Buckets in a Redis that servers share. `url` is `redis://` or `rediss://`, with credentials and database. */
export function createRedisBuckets(url: string): RedisBuckets {
  const redis = new Redis(url, OPTIONS);
  let failure: string | null = null;
  redis.on("error", (error: NodeJS.ErrnoException) => {
    failure = error.message || String(error.code);
  });
  redis.on("close", () => {
    failure ??= "the connection was closed";
  });
  redis.on("ready", () => {
    failure = null;
  });
  return {
    limits: ({ name, perMinute }) => {
      const change = (caller: string, cost: number) =>
        redis.changeBucket(`artitec-media:rate:${name}:${caller}`, perMinute, perMinute * CALL, cost);
      return {
        take: async (caller) => (await change(caller, CALL)) || null,
        giveBack: async (caller) => void (await change(caller, -CALL)),
      };
    },
    connect: () => redis.connect(),
    connectionFailure: () => failure,
    reconnect() {
      if (redis.status === "ready") redis.disconnect(true);
    },
    close: () => redis.disconnect(),
  };
}

/** Nothing waits for a line, and nothing is sent a second time: a call that was counted must not count again. */
const OPTIONS = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // What these would ask first is answered by the first call, too.
  enableReadyCheck: false,
  disableClientInfo: true,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: DISCONNECT_TIMEOUT_MS,
  retryStrategy: (attempt: number) => Math.min(attempt * RECONNECT_STEP_MS, RECONNECT_LONGEST_MS),
  // A replica that was the primary a moment ago: the name leads to the new one.
  reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  scripts: { changeBucket: { lua: CHANGE_BUCKET, numberOfKeys: 1 } },
};
