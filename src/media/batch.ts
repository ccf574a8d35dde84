import { describeFailure, MediaError, type MediaErrorCode } from "./errors.js";
import type { Ref } from "./ports.js";

/** What became of each of many: the refs as they were given. */
export type PerItem = { done: Ref[]; failed: { id: Ref; code: MediaErrorCode; message: string }[] };

/** Does the work for one after the other; a failure of one is its own. What is no MediaError ends it all. */
export async function eachOf(refs: readonly Ref[], work: (ref: Ref) => Promise<unknown>): Promise<PerItem> {
  const results: PerItem = { done: [], failed: [] };
  for (const ref of refs) {
    try {
      await work(ref);
      results.done.push(ref);
    } catch (error) {
      if (!(error instanceof MediaError)) throw error;
      results.failed.push({ id: ref, code: error.failure.code, message: describeFailure(error.failure) });
    }
  }
  return results;
}
