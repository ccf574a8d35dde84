/**
 * The real server, which kills itself with SIGKILL right after its KILL_AFTER-th effect. Effects are counted from the
 * very start with KILL_DURING=start, and from the moment it serves otherwise. It says `effect <name>` after each, and
 * `serves <address>`, on standard output. An effect is a call of a port that changes something outside this process's
 * memory; what a transaction does counts as two, the end of its work and its commit.
 */
import { writeSync } from "node:fs";
import { loadConfig } from "../../src/config.js";
import type { Database, Deps, ObjectStorage, Spool, SpoolWriter } from "../../src/media/ports.js";
import { startServer } from "../../src/start-server.js";
import { createObjectStores } from "../../src/storage/object-stores.js";

const STANDARD_OUTPUT = 1;
const killAfter = Number(process.env.KILL_AFTER ?? Number.POSITIVE_INFINITY);
let isCounting = process.env.KILL_DURING === "start";
let effects = 0;

/** Written at once and not by the event loop, which the kill would take with it. */
const say = (line: string) => void writeSync(STANDARD_OUTPUT, `${line}\n`);

function happened(name: string): void {
  if (!isCounting) return;
  say(`effect ${name}`);
  if (++effects === killAfter) process.kill(process.pid, "SIGKILL");
}

type Effect = (...args: unknown[]) => Promise<unknown>;

/** The port, saying so whenever one of these methods has done its work. */
function watched<Port extends object>(room: string, port: Port, methods: readonly (keyof Port & string)[]): Port {
  const watch =
    (method: keyof Port & string) =>
    async (...args: unknown[]) => {
      const answer = await (port[method] as Effect)(...args);
      happened(`${room}.${method}`);
      return answer;
    };
  return { ...port, ...Object.fromEntries(methods.map((method) => [method, watch(method)])) };
}

const watchedDatabase = (database: Database): Database => ({
  ...database,
  intents: watched("intents", database.intents, ["open", "close", "abandon", "claimAbandoned", "forget"]),
  deletions: watched("deletions", database.deletions, ["add", "done", "postpone"]),
  idempotency: watched("idempotency", database.idempotency, ["begin", "finish", "release", "expire"]),
  async transact(work) {
    const answer = await database.transact(async (stores) => {
      const done = await work(stores);
      happened("work of a transaction");
      return done;
    });
    happened("commit");
    return answer;
  },
});

const watchedSpool = (spool: Spool): Spool => ({
  ...spool,
  async create() {
    const writer = await spool.create();
    happened("spool.create");
    return watchedWriter(writer);
  },
  async folder() {
    const folder = await spool.folder();
    happened("spool.folder");
    return watched("folder", folder, ["remove"]);
  },
});

/** Only the first chunk counts: how the network cuts the body is different each time. */
function watchedWriter(writer: SpoolWriter): SpoolWriter {
  let isFirst = true;
  return {
    ...watched("spool", writer, ["finish", "discard"]),
    async write(chunk) {
      await writer.write(chunk);
      if (isFirst) happened("spool.write");
      isFirst = false;
    },
  };
}

/** A batch removes one object after the other, so that each is an effect of its own. */
function watchedStorage(storage: ObjectStorage): ObjectStorage {
  const single = watched("objects", storage, ["put", "delete"]);
  return {
    ...single,
    async deleteMany(keys) {
      for (const key of keys) await single.delete(key);
      return [];
    },
  };
}

const watchEffects = (deps: Deps): Deps => ({
  ...deps,
  database: watchedDatabase(deps.database),
  objects: createObjectStores({ primary: watchedStorage(deps.objects.primary) }),
  spool: watchedSpool(deps.spool),
  images: watched("images", deps.images, ["render"]),
});

const server = await startServer(loadConfig(process.env), { decorate: watchEffects });
isCounting = true;
say(`serves ${server.baseUrl}`);
process.once("SIGTERM", () => {
  void server.stop().then(() => process.exit(0));
});
