import { createHash } from "node:crypto";
import { DeleteObjectCommand, DeleteObjectsCommand, type DeleteObjectsCommandOutput } from "@aws-sdk/client-s3";
import { StorageUnavailableError } from "../media/ports.js";
import { deleteEach, type Unremoved } from "./delete-each.js";
import { isObjectKey, keySegments } from "./key-rules.js";
import type { S3Bucket } from "./s3-client.js";
import { s3Failure, unavailable } from "./s3-failure.js";

/** S3 takes no more in one request. */
const KEYS_PER_REQUEST = 1000;

export async function deleteObject({ client, bucket }: S3Bucket, key: string): Promise<void> {
  keySegments(key);
  try {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if (s3Failure(error).code !== "NoSuchKey") throw unavailable(error);
  }
}

export async function deleteObjects(at: S3Bucket, keys: readonly string[]): Promise<Unremoved[]> {
  const wrong = keys.filter((key) => !isObjectKey(key));
  const unremoved: Unremoved[] = wrong.map((key) => ({ key, error: new TypeError("Not an object key.") }));
  const right = [...new Set(keys.filter(isObjectKey))];
  for (let from = 0; from < right.length; from += KEYS_PER_REQUEST) {
    unremoved.push(...(await deleteTogether(at, right.slice(from, from + KEYS_PER_REQUEST))));
  }
  return unremoved;
}

async function deleteTogether(at: S3Bucket, keys: readonly string[]): Promise<Unremoved[]> {
  const command = new DeleteObjectsCommand({ Bucket: at.bucket, Delete: { Objects: keys.map((Key) => ({ Key })) } });
  addContentMd5(command);
  try {
    return unremovedOf(keys, await at.client.send(command));
  } catch (error) {
    const { status = 0 } = s3Failure(error);
    // The server does not know the request, or one key spoils it for the others.
    if (status === 400 || status === 405 || status === 501) return deleteEach(keys, (key) => deleteObject(at, key));
    return keys.map((key) => ({ key, error: unavailable(error) }));
  }
}

/** What the answer does not name as deleted counts as being there. */
function unremovedOf(keys: readonly string[], answer: DeleteObjectsCommandOutput): Unremoved[] {
  const gone = new Set(answer.Deleted?.map(({ Key }) => Key));
  const codes = new Map(answer.Errors?.map(({ Key, Code }) => [Key, Code]));
  const unremoved: Unremoved[] = [];
  for (const key of keys) {
    const code = codes.get(key);
    if (gone.has(key) || code === "NoSuchKey") continue;
    unremoved.push({ key, error: new StorageUnavailableError(`The object was not removed: ${code ?? "no answer"}.`) });
  }
  return unremoved;
}

/** Many servers insist on it for this one request, whatever other checksum is there. */
function addContentMd5(command: DeleteObjectsCommand): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { headers: Record<string, string>; body: string | Uint8Array };
      request.headers["content-md5"] = createHash("md5").update(request.body).digest("base64");
      return next(args);
    },
    { step: "build", name: "addContentMd5" },
  );
}
