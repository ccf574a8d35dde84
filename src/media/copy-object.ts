import type { StoredItem } from "./lifecycle-ports.js";
import { type Deps, ObjectExistsError, type ObjectStorage, type PutOptions, type SpooledFile } from "./ports.js";

type CopyDeps = Pick<Deps, "spool">;
type Copy = { from: ObjectStorage; to: ObjectStorage; isPublic: boolean };

/**
 * Brings one object into another store under its own key: through the spool, against the size its row speaks of, and
 * read back. A copy that is there already, of an earlier attempt, is taken where it holds the same bytes. Rejects with
 * the reason where the target cannot be said to hold the object.
 */
export async function copyObject(
  deps: CopyDeps,
  { key, contentType, fileSize }: StoredItem["objects"][number],
  { from, to, isPublic }: Copy,
): Promise<void> {
  await withObject(deps, { store: from, key }, async (original) => {
    if (original.size !== fileSize)
      throw new Error(`${key} holds ${original.size} bytes in ${from.type} where its row says ${fileSize}.`);
    await putOnce(to, { key, source: original, options: { contentType, isPublic } });
    await withObject(deps, { store: to, key }, async (copy) => {
      if (copy.size !== original.size || copy.sha256 !== original.sha256)
        throw new Error(`${key} holds other bytes in ${to.type}.`);
    });
  });
}

async function putOnce(
  to: ObjectStorage,
  { key, source, options }: { key: string; source: SpooledFile; options: PutOptions },
): Promise<void> {
  try {
    await to.put(key, source, options);
  } catch (error) {
    if (!(error instanceof ObjectExistsError)) throw error;
  }
}

/** Hands over the object as a file in the spool, measured while it came in; the file is gone afterwards. */
export async function withObject<T>(
  { spool }: CopyDeps,
  { store, key }: { store: ObjectStorage; key: string },
  use: (file: SpooledFile) => Promise<T>,
): Promise<T> {
  const writer = await spool.create();
  try {
    const object = await store.get(key);
    if (!object) throw new Error(`${key} is not in ${store.type}.`);
    await object.stream.pipeTo(new WritableStream({ write: (chunk) => writer.write(chunk) }));
    return await use(await writer.finish());
  } finally {
    await writer.discard();
  }
}
