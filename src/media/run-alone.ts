import { IDEMPOTENCY_HOURS } from "./idempotency.js";
import type { Deps } from "./ports.js";

/** Beside users' public ids and services, none of which is named like this. */
const UPKEEP_PRINCIPAL = "@upkeep";

/**
 * Runs work that only one process may do at a time; null where a living one is at it. The log of idempotency keys knows
 * who lives, so a process that died holds nothing up. After a day the name is free again, whoever holds it: this saves
 * work and keeps counts straight, what is right must not rest on it.
 */
export async function runAlone<T>(
  { database, clock }: Pick<Deps, "database" | "clock">,
  name: string,
  work: () => Promise<T>,
): Promise<T | null> {
  const key = { principal: UPKEEP_PRINCIPAL, key: name };
  const now = clock.now();
  const expiresBefore = new Date(now.getTime() - IDEMPOTENCY_HOURS * 3_600_000);
  const { state } = await database.idempotency.begin(key, name, { now, expiresBefore });
  if (state !== "begun") return null;
  try {
    return await work();
  } finally {
    await database.idempotency.release(key);
  }
}
