import type { AppContext } from "./app-env.js";

/** A parameter given twice counts as not given: servers differ on which of the two is meant. */
export function onlyValue(c: AppContext, name: string): string | undefined {
  const [value, ...more] = c.req.queries(name) ?? [];
  return more.length === 0 ? value : undefined;
}
