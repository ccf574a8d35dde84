import { describe, expect, it } from "vitest";
import { createPixelQueue, MAX_OVERTAKEN, type PixelJob, type PixelQueue } from "../../src/pipeline/pixel-queue.js";
import { createRandom } from "../support/seeded-random.js";

type Job = PixelJob & { id: number };

const BUDGET = 100;
const LIMITS = { upload: 1_000, demand: 1_000 };
let ids = 0;
const job = (cost: number, priority: Job["priority"] = "upload"): Job => ({ id: ids++, cost, priority });

function open(limits = LIMITS): PixelQueue<Job> {
  return createPixelQueue<Job>({ budget: BUDGET, limits });
}

/** Adds them behind a job at work that leaves `free` pixels of the budget. */
function waitingBehind(free: number, ...jobs: Job[]): { queue: PixelQueue<Job>; running: Job } {
  const queue = open();
  const running = job(BUDGET - free);
  queue.add(running, true);
  queue.take();
  for (const one of jobs) expect(queue.add(one, false)).toBe(true);
  return { queue, running };
}

describe("who is next", () => {
  it("is nobody where nobody waits", () => {
    expect(open().take()).toBeUndefined();
  });

  it("is the older of two that are alike", () => {
    const [first, second] = [job(10), job(10)];
    const { queue } = waitingBehind(50, first, second);
    expect([queue.take(), queue.take()]).toEqual([first, second]);
  });

  it("is an upload before a visitor, and a header before either", () => {
    const [visitor, upload, header] = [job(10, "demand"), job(10), job(0)];
    const { queue } = waitingBehind(50, visitor, upload, header);
    expect([queue.take(), queue.take(), queue.take()]).toEqual([header, upload, visitor]);
  });

  it("is a cheap one where a dear one does not fit, and the dear one when it does", () => {
    const [dear, cheap] = [job(80), job(20)];
    const { queue, running } = waitingBehind(30, dear, cheap);
    expect(queue.take()).toBe(cheap);
    expect(queue.take()).toBeUndefined();
    queue.finish(running);
    expect(queue.take()).toBe(dear);
  });

  it("is a header, whatever is at work and whoever waits longest", () => {
    const { queue } = waitingBehind(0, job(BUDGET));
    for (let header = 0; header < MAX_OVERTAKEN + 2; header++) {
      const one = job(0);
      queue.add(one, false);
      expect(queue.take()).toBe(one);
    }
    expect(queue.take()).toBeUndefined();
  });

  it("is one beyond the whole budget where it can be alone, and nothing beside it", () => {
    const [giant, small] = [job(5 * BUDGET), job(1)];
    const { queue, running } = waitingBehind(10, giant);
    expect(queue.take()).toBeUndefined();
    queue.finish(running);
    expect(queue.take()).toBe(giant);
    queue.add(small, false);
    expect(queue.take()).toBeUndefined();
    queue.finish(giant);
    expect(queue.take()).toBe(small);
  });
});

describe("a place to wait in", () => {
  it("is counted for each priority by itself", () => {
    const queue = open({ upload: 2, demand: 1 });
    expect([job(1), job(1), job(1)].map((one) => queue.add(one, false))).toEqual([true, true, false]);
    expect([job(1, "demand"), job(1, "demand")].map((one) => queue.add(one, false))).toEqual([true, false]);
  });

  it("is not needed by one that begins at once, and is by one that does not fit", () => {
    const queue = open({ upload: 0, demand: 0 });
    expect(queue.add(job(60), true)).toBe(true);
    queue.take();
    expect(queue.add(job(60), true)).toBe(false);
    expect(queue.add(job(60), false)).toBe(false);
    expect(queue.add(job(40), true)).toBe(true);
  });

  it("is empty after all were sent away", () => {
    const jobs = [job(1), job(1, "demand"), job(0)];
    const { queue } = waitingBehind(50, ...jobs);
    expect(queue.drain()).toEqual(jobs);
    expect(queue.take()).toBeUndefined();
  });
});

/** Arrivals and ends in an order that the seed decides; answers how often the most patient job was overtaken. */
function playOut(seed: number): number {
  const random = createRandom(seed);
  const queue = open();
  const [atWork, waiting, overtaken] = [new Set<Job>(), new Set<Job>(), new Map<number, number>()];
  let left = 150;
  const arrive = () => {
    const cost = random() < 0.2 ? 0 : Math.ceil(random() ** 3 * 1.2 * BUDGET);
    const one = job(cost, random() < 0.4 ? "demand" : "upload");
    expect(queue.add(one, false)).toBe(true);
    waiting.add(one);
    left--;
  };
  const begin = () => {
    const one = queue.take();
    if (!one) return expect(atWork.size + waiting.size === 0 || atWork.size > 0).toBe(true);
    expect(waiting.delete(one)).toBe(true);
    if (one.cost > 0) for (const { id } of waiting) if (id < one.id) overtaken.set(id, (overtaken.get(id) ?? 0) + 1);
    atWork.add(one);
    const costs = [...atWork].map(({ cost }) => cost).filter((cost) => cost > 0);
    expect(costs.length === 1 || costs.reduce((sum, cost) => sum + cost, 0) <= BUDGET).toBe(true);
  };
  const end = () => {
    const [one] = [...atWork].filter((_, at, { length }) => at === Math.floor(random() * length));
    const chosen = one ?? [...atWork][0];
    if (chosen && atWork.delete(chosen)) queue.finish(chosen);
  };
  while (left + waiting.size + atWork.size > 0) {
    if (left > 0 && random() < 0.5) arrive();
    if (random() < 0.7) begin();
    if (random() < 0.5) end();
  }
  return Math.max(0, ...overtaken.values());
}

describe("whatever comes and goes", () => {
  it("never holds more than the budget, loses nobody, and lets nobody be overtaken for ever", () => {
    for (let seed = 1; seed <= 15; seed++) expect(playOut(seed)).toBeLessThanOrEqual(MAX_OVERTAKEN);
  });

  it("lets visitors through a stream of uploads that never ends", () => {
    const visitor = job(10, "demand");
    const { queue } = waitingBehind(10, visitor);
    for (let turn = 0; turn < MAX_OVERTAKEN; turn++) {
      const upload = job(10);
      queue.add(upload, false);
      expect(queue.take()).toBe(upload);
      queue.finish(upload);
    }
    queue.add(job(10), false);
    expect(queue.take()).toBe(visitor);
  });
});
