import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
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
import { find, OPERATIONS, type Operation } from "./operations.js";
import { expectWhole, itemsIn, type StoredItem } from "./truths.js";

/** Each kill starts a server, so the usual run picks some of them; CRASH_MATRIX=full takes every single one. */
const isFull = process.env.CRASH_MATRIX === "full";
const LONG = isFull ? 1_200_000 : 240_000;

/** How many kills the usual run makes of each operation; the first and the last effect are always among them. */
const USUAL_KILLS: Record<string, number> = { upload: 8, "replacing what is in a slot": 5, "batch upload": 5 };
const OTHER_KILLS = 4;

/** 1 to `count`, or so many of them, evenly spread. */
function killsOf(count: number, wanted = OTHER_KILLS): number[] {
  if (isFull || wanted >= count) return Array.from({ length: count }, (_, at) => at + 1);
  return Array.from({ length: wanted }, (_, at) => 1 + Math.round((at * (count - 1)) / (wanted - 1)));
}

/** Kills under way at once. */
const twoAtOnce = pLimit(2);

/** Resolves when all are over, so that nothing outlives its test; rejects with every failure. */
async function forEachKill(kills: readonly number[], work: (after: number) => Promise<void>): Promise<void> {
  const ends = await Promise.allSettled(kills.map((after) => twoAtOnce(() => work(after))));
  const failures = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as Error] : []));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join("\n"));
}

/** Does the work in a copy of the folder, which is gone afterwards. */
async function inCopy<T>(original: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await copyOf(original);
  try {
    return await work(folder.path);
  } finally {
    await folder.remove();
  }
}

/** What went wrong, with the moment it went wrong at. */
async function at(kill: KillPoint, crash: Crash, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (cause) {
    const trace = `${crash.effects.join(", ")}; answer: ${crash.answer?.status ?? "none"}`;
    throw new Error(`killed after effect ${kill.after} of ${kill.during} (${trace}): ${String(cause)}`, { cause });
  }
}

const isDone = ({ answer }: Crash) => answer !== null && answer.status < 300;

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

  const request = (folder: string, operation: Operation, after: number | null): Promise<Crash> =>
    runUntilKilled({ entry, folder }, { during: "request", after }, (api) => operation.ask(api, seed));

  it.for(Object.entries<Operation>(OPERATIONS))(
    "during %s leaves the whole or nothing",
    { timeout: LONG },
    async ([name, operation], { annotate }) => {
      const run = (after: number | null) =>
        inCopy(prepared, async (folder) => {
          const crash = await request(folder, operation, after);
          await at({ during: "request", after }, crash, () => expectNoHarm(folder, crash, operation));
          return crash;
        });
      const whole = await run(null);
      expect(isDone(whole)).toBe(true);
      expect(whole.effects.length).toBeGreaterThanOrEqual(2);
      const kills = killsOf(whole.effects.length, USUAL_KILLS[name]);
      await forEachKill(kills, async (after) => {
        const crash = await run(after);
        expect(crash.wasKilled, `a kill after effect ${after}`).toBe(true);
        expect(crash.effects).toHaveLength(after);
      });
      await annotate(`${kills.length} kills`);
    },
  );

  /** Kills the start-up over the folder, again and again in copies of it, each time one effect later. */
  async function killDuringStart(spoiled: string, check: (items: StoredItem[]) => void) {
    const run = (after: number | null) =>
      inCopy(spoiled, async (folder) => {
        const kill = { during: "start", after } as const;
        const crash = await runUntilKilled({ entry, folder }, kill, (api) => api.call("GET", "/healthz"));
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
    const kills = killsOf(effects.length);
    await forEachKill(kills, async (after) => expect((await run(after)).wasKilled).toBe(true));
    return { effects, kills: kills.length };
  }

  const deletesAmong = (effects: readonly string[]) => effects.filter((effect) => effect === "objects.delete").length;

  it("during the purge of the trash leaves nothing of what outlived its time", { timeout: LONG }, ({ annotate }) =>
    inCopy(prepared, async (folder) => {
      await outliveTrash(folder, seed.trashed);
      const { effects, kills } = await killDuringStart(folder, (items) => {
        expect(find(items, seed.trashed)).toBeUndefined();
        expect(items).toHaveLength(4);
      });
      expect(deletesAmong(effects)).toBe(5);
      await annotate(`${kills} kills`);
    }),
  );

  /** Leaves the folder as a kill right after the last such effect of the operation does. */
  async function crashAfterLast(effect: string, operation: Operation, folder: string): Promise<void> {
    const whole = await inCopy(prepared, (other) => request(other, operation, null));
    const crash = await request(folder, operation, whole.effects.lastIndexOf(effect) + 1);
    expect(crash).toMatchObject({ wasKilled: true, answer: null });
    expect(crash.effects.at(-1)).toBe(effect);
  }

  it("during the sweep after a crashed upload still sweeps it all the next time", { timeout: LONG }, ({ annotate }) =>
    inCopy(prepared, async (folder) => {
      await crashAfterLast("objects.put", OPERATIONS.upload, folder);
      const before = await itemsIn(folder);
      const { effects, kills } = await killDuringStart(folder, (items) => expect(items).toEqual(before));
      expect(before).toHaveLength(5);
      expect(deletesAmong(effects)).toBe(5);
      expect(effects).toContain("intents.forget");
      await annotate(`${kills} kills`);
    }),
  );

  it("during the sweep after a crashed delete still removes every byte", { timeout: LONG }, ({ annotate }) =>
    inCopy(prepared, async (folder) => {
      await crashAfterLast("commit", OPERATIONS["permanent delete"], folder);
      const { effects, kills } = await killDuringStart(folder, (items) => {
        expect(find(items, seed.first)).toBeUndefined();
        expect(items).toHaveLength(4);
      });
      expect(deletesAmong(effects)).toBe(5);
      await annotate(`${kills} kills`);
    }),
  );
});
