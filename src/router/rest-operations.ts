import type { AnyProcedure, AnyRouter } from "@trpc/server";
import { z } from "zod";
import { appRouter } from "../procedures/index.js";
import type { ProcedureMeta, RestRoute } from "../procedures/trpc.js";

/** As much of JSON Schema as the addresses and their description need. */
export type JsonSchema = z.core.JSONSchema.JSONSchema;

/** A procedure as it is described: the schemas are its own, as JSON Schema. */
export type DescribedProcedure = {
  /** With its group, as tRPC calls it. */
  procedure: string;
  type: "query" | "mutation" | "subscription";
  meta: ProcedureMeta;
  input: JsonSchema;
  /** Of a subscription, of each event. */
  output: JsonSchema;
};

/** One address of plain HTTP and the procedure behind it. */
export type RestOperation = DescribedProcedure & {
  /** Unique among all operations: the procedure's name, numbered where it has several addresses. */
  operationId: string;
  route: RestRoute;
};

/** tRPC keeps these on every procedure but does not type them. */
type ProcedureDef = {
  type: DescribedProcedure["type"];
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
function describe([procedure, built]: [string, AnyProcedure]): DescribedProcedure {
  const { type, meta, inputs, output }: Partial<ProcedureDef> = defOf(built);
  if (!type || !meta?.audience) throw new Error(`${procedure} states no audience.`);
  const answer = type === "subscription" ? meta.events : output;
  if (!answer) throw new Error(`${procedure} states no output.`);
  const input = z.toJSONSchema(inputs?.[0] ?? z.object({}), { io: "input" });
  return { procedure, type, meta, input, output: z.toJSONSchema(answer) };
}

/** What an address takes from its path or from a bare array has to be an input: no call of it could succeed. */
function requireInputs(name: string, { path, arrayInput }: RestRoute, input: JsonSchema): void {
  const taken = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  for (const one of arrayInput === undefined ? taken : [...taken, arrayInput])
    if (!Object.hasOwn(input.properties ?? {}, one))
      throw new Error(`${name} has no input ${one}, which ${path} names.`);
}

const operationsOf = (described: DescribedProcedure): RestOperation[] =>
  (described.meta.rest ?? []).map((route, at) => {
    requireInputs(described.procedure, route, described.input);
    const operationId = `${described.procedure.replace(".", "_")}${at === 0 ? "" : `_${at + 1}`}`;
    return { ...described, operationId, route };
  });

/** Every procedure, in the router's order. Throws for one that states no audience or no output. */
const describeProcedures = (router: AnyRouter): readonly DescribedProcedure[] =>
  Object.entries<AnyProcedure>(router._def.procedures as unknown as Record<string, AnyProcedure>).map(describe);

/**
 * Every address of a router's procedures, in the order to try them. Throws also for an address that names what is no
 * input.
 */
export const restOperationsOf = (router: AnyRouter): readonly RestOperation[] =>
  describeProcedures(router).flatMap(operationsOf).sort(bySpecificity);

export const PROCEDURES = describeProcedures(appRouter);

/** Every REST address there is but the uploads. */
export const REST_OPERATIONS = restOperationsOf(appRouter);
