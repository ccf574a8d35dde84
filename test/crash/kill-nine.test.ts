import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Answer } from "../support/server.js";
import {
  type Api,
  buildCrashingServer,
  type Crash,
  copyOf,
  type KillPoint,
  outliveTrash,
  prepare,
  restart,
  runUntilKilled,
  type Seed,
} from "./crash-stage.js";
import { expectWhole, itemsIn, type StoredItem } from "./truths.js";

/** Each kill starts a server, so the usual run picks some of them; CRASH_MATRIX=full takes every single one. */
const isFull = process.env.CRASH_MATRIX === "full";
const LONG = isFull ? 1_200_000 : 240_000;

const GALLERY = "/v1/media/builders/BLD-1/portfolio";
const key = { "idempotency-key": "the-same-request" };

type Operation = {
  /** Sends the request; the same again after the crash is the client's retry. */
  ask(api: Api, seed: Seed): Promise<Answer<unknown>>;
  /** What must hold after the crash. `answered`: the client was told that it is done. */
  expectTrue(items: readonly StoredItem[], seed: Seed, answered: boolean): void;
  /** Statuses a retry may get. */
  retried: readonly number[];
};

const named = (items: readonly StoredItem[], name: string) => items.filter((item) => item.originalFilename === name);
const find = (items: readonly StoredItem[], { id }: { id: number }) => items.find((item) => item.id === id);
const isNoneOrOne = (items: readonly StoredItem[], isOne: boolean) =>
  isOne ? expect(items).toHaveLength(1) : expect(items.length).toBeLessThanOrEqual(1);

const OPERATIONS = {
  upload: {
    ask: (api, { owner, picture }) => api.post(GALLERY, owner, [["file", [picture, "new.jpg"]]], key),
    expectTrue(items, { first, second }, answered) {
      isNoneOrOne(named(items, "new.jpg"), answered);
      for (const old of [first, second]) expect(find(items, old)?.isTrashed).toBe(false);
    },
    retried: [200, 201],
  },
  "replacing what is in a slot": {
    ask: (api, { owner, picture }) =>
      api.post("/v1/media/builders/BLD-1/logo", owner, [["file", [picture, "new.jpg"]]], key),
    expectTrue(items, { avatar }, answered) {
      const made = named(items, "new.jpg");
      isNoneOrOne(made, answered);
      expect(find(items, avatar)?.isTrashed).toBe(made.length === 1);
    },
    retried: [200, 201],
  },
  "permanent delete": {
    ask: (api, { admin, first }) => api.call("DELETE", `/v1/media/${first.id}?permanent=true`, { token: admin }),
    expectTrue(items, { first }, answered) {
      if (answered) expect(find(items, first)).toBeUndefined();
      else expect(find(items, first)?.isTrashed ?? false).toBe(false);
    },
    retried: [200, 404],
  },
  "batch upload": {
    ask: (api, { owner, picture }) =>
      api.post(
        "/v1/media/batch/upload?entity_type=builder&entity_id=BLD-1&entity_field=gallery",
        owner,
        ["a.jpg", "b.jpg", "c.jpg"].map((name) => ["files", [picture, name]] as const),
        key,
      ),
    expectTrue(items, _, answered) {
      for (const name of ["a.jpg", "b.jpg", "c.jpg"]) isNoneOrOne(named(items, name), answered);
    },
    retried: [200, 201],
  },
  "delete to the trash": {
    ask: (api, { owner, second }) => api.call("DELETE", `/v1/media/${second.id}`, { token: owner }),
    expectTrue(items, { second }, answered) {
      const item = find(items, second);
      expect(item).toBeDefined();
      if (answered) expect(item?.isTrashed).toBe(true);
    },
    retried: [200, 404],
  },
  "restore into a gallery": {
    ask: (api, { owner, trashed }) => api.call("POST", `/v1/media/${trashed.id}/restore`, { token: owner }),
    expectTrue(items, { trashed }, answered) {
      const item = find(items, trashed);
      expect(item).toBeDefined();
      if (answered) expect(item?.isTrashed).toBe(false);
    },
    retried: [200, 404],
  },
  "restore into a slot": {
    ask: (api, { owner, formerAvatar }) => api.call("POST", `/v1/media/${formerAvatar.id}/restore`, { token: owner }),
    expectTrue(items, { avatar, formerAvatar }, answered) {
      const isBack = find(items, formerAvatar)?.isTrashed === false;
      expect(find(items, avatar)?.isTrashed).toBe(isBack);
      if (answered) expect(isBack).toBe(true);
    },
    retried: [200, 404],
  },
} as const satisfies Record<string, Operation>;

/** How many kills the usual run makes of each operation; the first and the last effect are always among them. */
const USUAL_KILLS = { upload: Number.POSITIVE_INFINITY, "replacing what is in a slot": 6, "permanent delete": 6 };
const OTHER_KILLS = 4;

const usualKills = (name: string): number => (USUAL_KILLS as Record<string, number>)[name] ?? OTHER_KILLS;

/** 1 to `count`, or so many of them, evenly spread. */
function killsOf(count: number, wanted: number): number[] {
  if (isFull || wanted >= count) return Array.from({ length: count }, (_, at) => at + 1);
  return Array.from({ length: wanted }, (_, at) => 1 + Math.round((at * (count - 1)) / (wanted - 1)));
}

describe("a server killed right after an effect", () => {
  let stage: string;
  let prepared: string;
  let entry: string;
  let seed: Seed;

  beforeAll(async () => {
    stage = await mkdtemp(join(tmpdir(), "media-crash-stage-"));
    entry = await buildCrashingServer(stage);
    prepared = join(stage, "prepared");
    seed = await prepare(prepared);
  });
  afterAll(() => rm(stage, { recursive: true, force: true }));

  const isDone = ({ answer }: Crash) => answer !== null && answer.status < 300;

  /** Everything that must be true after this end of the server, and after a retry. */
  async function expectNoHarm(folder: string, crash: Crash, operation: Operation): Promise<void> {
    if (crash.answer) expect(crash.answer.status).toBeLessThan(300);
    const { api, stop } = await restart(folder);
    try {
      operation.expectTrue(await expectWhole(folder, api), seed, isDone(crash));
      const retry = await operation.ask(api, seed);
      expect(operation.retried).toContain(retry.status);
      operation.expectTrue(await expectWhole(folder, api), seed, true);
    } finally {
      await stop();
    }
  }

  async function inCopy<T>(work: (folder: string) => Promise<T>): Promise<T> {
    const folder = await copyOf(prepared);
    try {
      return await work(folder.path);
    } finally {
      await folder.remove();
    }
  }

  /** What went wrong, with the moment it went wrong at. */
  async function at<T>(kill: KillPoint, crash: Crash, check: () => Promise<T>): Promise<T> {
    try {
      return await check();
    } catch (cause) {
      const status = crash.answer?.status ?? "none";
      const trace = crash.effects.join(", ");
      throw new Error(`killed after effect ${kill.after} of ${kill.during} (${trace}; answer: ${status})`, { cause });
    }
  }

  it.each(Object.entries<Operation>(OPERATIONS))(
    "during %s leaves the whole or nothing",
    { timeout: LONG },
    async (name, operation) => {
      const ask = (api: Api) => operation.ask(api, seed);
      const run = (after: number | null) =>
        inCopy(async (folder) => {
          const kill = { during: "request", after } as const;
          const crash = await runUntilKilled({ entry, folder }, kill, ask);
          await at(kill, crash, () => expectNoHarm(folder, crash, operation));
          return crash;
        });
      const whole = await run(null);
      expect(isDone(whole)).toBe(true);
      expect(whole.effects.length).toBeGreaterThanOrEqual(2);
      for (const after of killsOf(whole.effects.length, usualKills(name))) {
        const crash = await run(after);
        expect(crash.wasKilled, `no kill after effect ${after}`).toBe(true);
        expect(crash.effects).toHaveLength(after);
      }
    },
  );

  const askNothing = (api: Api) => api.call("GET", "/healthz");

  /** Kills the start-up over what `spoil` left, again and again, each time one effect later. */
  async function killDuringStart(spoil: (folder: string) => Promise<void>, check: (items: StoredItem[]) => void) {
    const run = (after: number | null) =>
      inCopy(async (folder) => {
        await spoil(folder);
        const kill = { during: "start", after } as const;
        const crash = await runUntilKilled({ entry, folder }, kill, askNothing);
        await at(kill, crash, async () => {
          const { api, stop } = await restart(folder);
          try {
            check(await expectWhole(folder, api));
          } finally {
            await stop();
          }
        });
        return crash;
      });
    const { effects } = await run(null);
    for (const after of killsOf(effects.length, OTHER_KILLS + 1)) expect((await run(after)).wasKilled).toBe(true);
    return effects;
  }

  it("during the purge of the trash leaves nothing of the item that outlived its time", { timeout: LONG }, async () => {
    const effects = await killDuringStart(
      (folder) => outliveTrash(folder, seed.trashed),
      (items) => {
        expect(find(items, seed.trashed)).toBeUndefined();
        expect(items).toHaveLength(4);
      },
    );
    expect(effects.filter((effect) => effect === "objects.delete")).toHaveLength(5);
  });

  it("during the sweep after a crash still sweeps it all the next time", { timeout: LONG }, async () => {
    const effects = await killDuringStart(
      async (folder) => {
        const { ask } = OPERATIONS.upload;
        const whole = await inCopy((other) =>
          runUntilKilled({ entry, folder: other }, { during: "request", after: null }, (api) => ask(api, seed)),
        );
        const lastPut = whole.effects.lastIndexOf("objects.put") + 1;
        const crash = await runUntilKilled({ entry, folder }, { during: "request", after: lastPut }, (api) =>
          ask(api, seed),
        );
        expect(crash.effects.filter((effect) => effect === "objects.put")).toHaveLength(5);
        expect(await itemsIn(folder)).toHaveLength(5);
      },
      (items) => expect(items.map((item) => item.id)).not.toContain(6),
    );
    expect(effects.filter((effect) => effect === "objects.delete")).toHaveLength(5);
    expect(effects).toContain("intents.forget");
  });
});
