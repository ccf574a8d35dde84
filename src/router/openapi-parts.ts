import { MEDIA_ERROR_CODES } from "../media/errors.js";
import { ERROR_MAP } from "../procedures/error-map.js";

/** OpenAPI path items by address. */
export type Paths = Record<string, Record<string, unknown>>;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: unknown) => ({ "application/json": { schema } });

export const PROBLEM = {
  type: "object",
  description: "RFC 9457. Further members hold the facts of the failure.",
  required: ["type", "title", "status", "detail", "code", "requestId"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", enum: MEDIA_ERROR_CODES },
    requestId: { type: "string" },
  },
};

/** One answer for each status any failure can have. */
export const FAILURES = Object.fromEntries(
  [...new Set(MEDIA_ERROR_CODES.map((code) => ERROR_MAP[code].status))].map((status) => {
    const codes = MEDIA_ERROR_CODES.filter((code) => ERROR_MAP[code].status === status);
    return [
      String(status),
      { description: codes.join(", "), content: { "application/problem+json": { schema: ref("Problem") } } },
    ];
  }),
);
