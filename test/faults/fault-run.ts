/**
 * Thousands of operations of careful clients, while the store, the database's connections and the server itself are
 * taken away again and again at points that the seed decides. Afterwards nothing that was promised may be untrue.
 */
import { parseArgs } from "node:util";
import { createRandom } from "../support/seeded-random.js";
import { createApi, SERVICE_TOKEN } from "../support/server.js";
import { createPhone } from "./phone.js";
import { createReport, renderReport } from "./report.js";
import { type ServerUnderFire, startServerUnderFire } from "./server-under-fire.js";
import { checkTruths } from "./truths.js";
import { type Ledger, makeGalleries, makePictures, note, operate } from "./work.js";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const CONCURRENCY = 16;
const QUICK_OPERATIONS = 200;
/** How often each happens in a whole run, and in a quick one. */
const DISASTERS = {
  "the store was killed": { whole: 10, quick: 3 },
  "database connections were cut": { whole: 10, quick: 3 },
  "the server was killed": { whole: 5, quick: 2 },
} as const;
type Disaster = keyof typeof DISASTERS;

const { values: options } = parseArgs({
  options: {
    seed: { type: "string" },
    operations: { type: "string" },
    quick: { type: "boolean", default: false },
  },
});
const seed = Number(options.seed ?? Math.floor(Math.random() * 1_000_000));
const operations = Number(options.operations ?? (options.quick ? QUICK_OPERATIONS : 2_000));
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(operations) || operations < 1)
  throw new TypeError("--seed and --operations take whole numbers");

const report = createReport();
const ledger: Ledger = new Map();
const random = createRandom(seed);
const started = performance.now();
print(`seed ${seed}, ${operations} operations, ${CONCURRENCY} at a time`);

// The servers end with this process, but not when a signal ends it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const server = await startServerUnderFire();
try {
  const api = createApi(server.baseUrl);
  const [galleries, pictures] = [await makeGalleries(api), await makePictures()];
  const phone = createPhone(server.baseUrl, report);
  await underFire(server, (number) => operate({ phone, report, ledger, pictures, galleries }, seed, number));
  await server.restartServer();
  await retryWhatWasNotAnswered();
  await lookAfterEverything(server);
  await checkTruths({ server, phone, report, ledger }, galleries);

  /** A client that comes back tomorrow with the same key gets its item, whatever happened yesterday. */
  async function retryWhatWasNotAnswered(): Promise<void> {
    for (const item of ledger.values()) {
      if (item.media) continue;
      const file = { bytes: item.file.bytes, name: item.name };
      note(item, await phone.upload(item.path, galleries.owner, file, item.key), report);
      if (!item.media) report.violation(`${item.name} is still not answered after the storm`);
    }
  }
} finally {
  await server.stop();
}
report.count("seconds", Math.round((performance.now() - started) / 1000));
print(renderReport(report));
process.exit(report.violations.length > 0 ? 1 : 0);

/** Works the operations off, with a disaster each time its number comes up; each kind waits for its last to be over. */
async function underFire(target: ServerUnderFire, work: (number: number) => Promise<void>): Promise<void> {
  const plan = planDisasters();
  const chains = new Map<Disaster, Promise<void>>();
  let next = 0;
  const worker = async () => {
    while (next < operations) {
      const number = next++;
      if (number % 100 === 0) print(`${number} operations`);
      for (const disaster of plan.get(number) ?? [])
        chains.set(
          disaster,
          (chains.get(disaster) ?? Promise.resolve()).then(() => strike(target, disaster)),
        );
      await work(number);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  await Promise.all(chains.values());
}

/** Numbers of operations, not before the first hundredth of them, each with what happens then. */
function planDisasters(): Map<number, Disaster[]> {
  const plan = new Map<number, Disaster[]>();
  for (const [disaster, times] of Object.entries(DISASTERS) as [Disaster, { whole: number; quick: number }][])
    for (let time = 0; time < (options.quick ? times.quick : times.whole); time++) {
      const number = Math.floor(operations * (0.01 + 0.98 * random()));
      plan.set(number, [...(plan.get(number) ?? []), disaster]);
    }
  return plan;
}

async function strike(target: ServerUnderFire, disaster: Disaster): Promise<void> {
  report.count(disaster);
  print(disaster);
  if (disaster === "the store was killed") await target.killStore(300 + 1_700 * random());
  else if (disaster === "the server was killed") await target.killServer();
  else target.cutDatabase();
}

/** What upkeep does in time, at once: deletions come due, and rows and objects are compared until nothing changes. */
async function lookAfterEverything(target: ServerUnderFire): Promise<void> {
  const api = createApi(target.baseUrl);
  for (let round = 0; round < 6; round++) {
    await target.tables.execute("UPDATE object_deletions SET run_after = created_at");
    await target.restartServer();
    const { body } = await api.call("POST", "/v1/media/health/repair", {
      token: SERVICE_TOKEN,
      body: { dryRun: false },
    });
    print(`looked after everything: ${JSON.stringify(body)}`);
  }
}
