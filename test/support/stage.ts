import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Combination, currentCombination } from "./combination.js";
import { createMariadbDatabase } from "./mariadb.js";
import { createS3Bucket } from "./s3.js";
import { openTestBucket, openTestFolder, pathsBelow, type TestObjects } from "./test-objects.js";
import { openTestTables, type TestTables } from "./test-tables.js";

/** What one server under test works with, all of its own and empty. */
export type Stage = {
  /** Its configuration for the current combination, on any free port; its service token is left out. */
  env: Record<string, string>;
  /** Its `DATA_DIR`. */
  folder: string;
  /** Null where there are no buckets. */
  bucketName: string | null;
  tables: TestTables;
  objects: TestObjects;
  /** Keys of every stored object, whichever store holds it, and every spooled file by path below the data folder. */
  files(): Promise<{ stored: string[]; spooled: string[] }>;
  remove(): Promise<void>;
};

export async function openStage({ database, store }: Combination = currentCombination()): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "media-server-"));
  const uploads = join(folder, "files");
  const facts = database === "mariadb" ? await openMariadb() : openSqlite(folder);
  const bytes = store === "s3" ? await openS3() : openLocal(uploads);
  return {
    env: { PORT: "0", DATA_DIR: folder, LOG_LEVEL, ...facts.env, ...bytes.store.env },
    folder,
    bucketName: bytes.bucketName,
    tables: openTestTables(facts.url),
    objects: bytes.store,
    async files() {
      const [inBucket, inFolder] = [store === "s3" ? await bytes.store.keys() : [], await pathsBelow(uploads)];
      const spooled = (await pathsBelow(join(folder, "spool"))).map((path) => `spool/${path}`);
      return { stored: [...inBucket, ...inFolder].sort(), spooled };
    },
    async remove() {
      bytes.store.close();
      await Promise.all([facts.remove(), bytes.remove(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

const LOG_LEVEL = process.env.TEST_LOG_LEVEL ?? "silent";
const nothing = () => Promise.resolve();

const openSqlite = (folder: string) => ({ url: `file:${join(folder, "media.db")}`, env: {}, remove: nothing });

/** With what production must be given, and without the limits only production has. */
async function openMariadb() {
  const { url, fill, remove } = await createMariadbDatabase();
  await fill();
  const env = { DATABASE_URL: url, SIGNING_SECRET: "the-tests-signing-secret", RATE_LIMIT: "off" };
  return { url, env, remove };
}

const openLocal = (folder: string) => ({ store: openTestFolder(folder), bucketName: null, remove: nothing });

async function openS3() {
  const bucket = await createS3Bucket();
  return { store: openTestBucket(bucket.options), bucketName: bucket.options.bucket, remove: () => bucket.remove() };
}
