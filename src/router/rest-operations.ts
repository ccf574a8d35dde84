import type { AnyProcedure } from "@trpc/server";
import { z } from "zod";
import { appRouter } from "../procedures/index.js";
import type { ProcedureMeta, RestRoute } from "../procedures/trpc.js";

/** As much of JSON Schema as the addresses and their description need. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** One address of plain HTTP and the procedure behind it. The schemas are the procedure's own, as JSON Schema. */
export type RestOperation = {
  /** Unique among all operations: the procedure's name, numbered where it has several addresses. */
  operationId: string;
  procedure: string;
  type: "query" | "mutation";
  route: RestRoute;
  meta: ProcedureMeta;
  input: JsonSchema;
  output: JsonSchema;
};

/** tRPC keeps these on every procedure but does not type them. */
type ProcedureDef = {
  type: "query" | "mutation";
  meta: ProcedureMeta;
  inputs: readonly z.ZodType[];
  output: z.ZodType;
};

const defOf = (procedure: AnyProcedure): ProcedureDef => procedure._def as unknown as ProcedureDef;

/** Parameters after names, so that `/v1/media/search` is found before `/v1/media/{id}`. */
const bySpecificity = (a: RestOperation, b: RestOperation): number =>
  sortKey(a.route.path) < sortKey(b.route.path) ? -1 : 1;
const sortKey = (path: string): string => path.replaceAll("{", "~{");

function operationsOf([name, procedure]: [string, AnyProcedure]): RestOperation[] {
  const { type, meta, inputs, output } = defOf(procedure);
  const input = z.toJSONSchema(inputs[0] ?? z.object({}), { io: "input" });
  const shape = z.toJSONSchema(output);
  return (meta.rest ?? []).map((route, at) => {
    const operationId = `${name.replace(".", "_")}${at === 0 ? "" : `_${at + 1}`}`;
    return { operationId, procedure: name, type, route, meta, input, output: shape };
  });
}

/** Every REST address there is but the uploads, in the order to try them. */
export const REST_OPERATIONS: readonly RestOperation[] = Object.entries<AnyProcedure>(
  appRouter._def.procedures as unknown as Record<string, AnyProcedure>,
)
  .flatMap(operationsOf)
  .sort(bySpecificity);
