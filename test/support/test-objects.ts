import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { openS3Bucket, type S3Options } from "../../src/storage/s3-client.js";

/** What a store holds, read and changed past the server. */
export type TestObjects = {
  /** Sorted; what a put left unfinished among them, where it is a file. */
  keys(): Promise<string[]>;
  read(key: string): Promise<Buffer>;
  write(key: string, bytes: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
};

/** With what the server must be told to use it. */
export type TestStore = TestObjects & { env: Record<string, string>; close(): void };

/** A folder of objects, as `UPLOAD_DIR` names it. It needs not be there yet. */
export function openTestFolder(folder: string): TestStore {
  return {
    env: { UPLOAD_DIR: folder },
    keys: () => pathsBelow(folder),
    read: (key) => readFile(join(folder, key)),
    async write(key, bytes) {
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await writeFile(join(folder, key), bytes);
    },
    remove: (key) => rm(join(folder, key)),
    close: () => undefined,
  };
}

/** The bucket as the server's configuration names it. */
const bucketEnv = (options: S3Options): Record<string, string> => ({
  STORAGE_TYPE: "s3",
  S3_ENDPOINT_URL: options.endpoint ?? "",
  S3_BUCKET_NAME: options.bucket,
  AWS_ACCESS_KEY_ID: options.credentials?.accessKeyId ?? "",
  AWS_SECRET_ACCESS_KEY: options.credentials?.secretAccessKey ?? "",
});

/** A bucket of objects that is there. */
export function openTestBucket(options: S3Options): TestStore {
  const { client, bucket } = openS3Bucket(options);
  const at = (key: string) => ({ Bucket: bucket, Key: key });
  return {
    env: bucketEnv(options),
    async keys() {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket }))
        keys.push(...Contents.map(({ Key = "" }) => Key));
      return keys.sort();
    },
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand(at(key)));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    write: async (key, bytes) => void (await client.send(new PutObjectCommand({ ...at(key), Body: bytes }))),
    remove: async (key) => void (await client.send(new DeleteObjectCommand(at(key)))),
    close: () => client.destroy(),
  };
}

/** Every file below, relative to the folder and sorted; none where there is no folder. */
export async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(noneWhereAbsent);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function noneWhereAbsent(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOENT") return [];
  throw error;
}
