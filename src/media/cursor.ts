import type { z } from "zod";
import { MediaError } from "./errors.js";

/** A place in a list as clients carry it from page to page; only this server gives it a meaning. */
export const encodeCursor = (place: readonly (string | number)[]): string => btoa(JSON.stringify(place));

/** Throws VALIDATION for what this server did not give. */
export function decodeCursor<T>(cursor: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(atob(cursor)));
  } catch (cause) {
    const issues = [{ path: "cursor", message: "is not a cursor this server gave" }];
    throw new MediaError({ code: "VALIDATION", issues }, { cause });
  }
}
