import type { AnyProcedure, AnyRouter } from "@trpc/server";
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

/** A procedure as far as it may be served: what is missing is said when the program starts, by the procedure's name. */
function describedOf(name: string, procedure: AnyProcedure): ProcedureDef {
  const def: Partial<ProcedureDef> = defOf(procedure);
  if (!def.meta?.audience) throw new Error(`${name} states no audience.`);
  if (!def.output) throw new Error(`${name} states no output.`);
  return def as ProcedureDef;
}

/** What an address takes from its path or from a bare array has to be an input: no call of it could succeed. */
function requireInputs(name: string, { path, arrayInput }: RestRoute, input: JsonSchema): void {
  const taken = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  for (const one of arrayInput === undefined ? taken : [...taken, arrayInput])
    if (!Object.hasOwn(input.properties ?? {}, one))
      throw new Error(`${name} has no input ${one}, which ${path} names.`);
}

function operationsOf([name, procedure]: [string, AnyProcedure]): RestOperation[] {
  const { type, meta, inputs, output } = describedOf(name, procedure);
  const input = z.toJSONSchema(inputs[0] ?? z.object({}), { io: "input" });
  const shape = z.toJSONSchema(output);
  return (meta.rest ?? []).map((route, at) => {
    requireInputs(name, route, input);
    const operationId = `${name.replace(".", "_")}${at === 0 ? "" : `_${at + 1}`}`;
    return { operationId, procedure: name, type, route, meta, input, output: shape };
  });
}

/**
 * Every address of a router's procedures, in the order to try them. Throws for a procedure that states no audience or
 * no output, and for an address that names what is no input.
 */
export const restOperationsOf = (router: AnyRouter): readonly RestOperation[] =>
  Object.entries<AnyProcedure>(router._def.procedures as unknown as Record<string, AnyProcedure>)
    .flatMap(operationsOf)
    .sort(bySpecificity);

/** Every REST address there is but the uploads. */
export const REST_OPERATIONS = restOperationsOf(appRouter);
