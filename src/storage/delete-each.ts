import pLimit from "p-limit";

/** A key that could not be removed, and why. */
export type Unremoved = { key: string; error: unknown };

const DELETES_AT_ONCE = 8;

/** Removes the keys one by one, a few at once. Never rejects. */
export async function deleteEach(
  keys: readonly string[],
  deleteOne: (key: string) => Promise<void>,
): Promise<Unremoved[]> {
  const limit = pLimit(DELETES_AT_ONCE);
  const unremoved: Unremoved[] = [];
  const attempt = async (key: string) => {
    try {
      await deleteOne(key);
    } catch (error) {
      unremoved.push({ key, error });
    }
  };
  await Promise.all(keys.map((key) => limit(attempt, key)));
  return unremoved;
}
