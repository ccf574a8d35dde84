import { callTRPCProcedure } from "@trpc/server";
import { Hono } from "hono";
import { validationFailed } from "../media/errors.js";
import { appRouter } from "../procedures/index.js";
import type { ApiDeps, AppContext, AppEnv } from "./app-env.js";
import { procedureContext } from "./procedure-context.js";
import { invalidBody, readText } from "./request-body.js";
import { REST_OPERATIONS, type RestOperation } from "./rest-operations.js";

/** Plain HTTP over the same procedures as tRPC: path, query and body become the one input object. */
export function restRoutes(app: ApiDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const operation of REST_OPERATIONS) {
    const path = operation.route.path.replaceAll(/\{(\w+)\}/g, ":$1");
    routes.on(operation.route.method, path, async (c) => {
      const answer = await call(app, c, operation);
      return c.json(answer as object, 200, { "Cache-Control": "no-store" });
    });
  }
  return routes;
}

async function call(app: ApiDeps, c: AppContext, operation: RestOperation): Promise<unknown> {
  const input = await readInput(app, c, operation);
  return callTRPCProcedure({
    router: appRouter,
    path: operation.procedure,
    type: operation.type,
    getRawInput: () => Promise.resolve(input),
    ctx: procedureContext(app, c),
    signal: c.req.raw.signal,
    batchIndex: 0,
  });
}

async function readInput(
  { bodyIdleMs }: ApiDeps,
  c: AppContext,
  operation: RestOperation,
): Promise<Record<string, unknown>> {
  const body = ["GET", "DELETE"].includes(operation.route.method)
    ? {}
    : readBodyObject(await readText(c.req.raw, bodyIdleMs), operation);
  return { ...body, ...readQuery(c, operation), ...c.req.param() };
}

function readBodyObject(text: string, { route }: RestOperation): Record<string, unknown> {
  if (text.trim() === "") return {};
  const body = parseJson(text);
  if (Array.isArray(body) && route.arrayInput) return { [route.arrayInput]: body };
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw invalidBody("the body must be a JSON object");
  return { ...body };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidBody("the body is not valid JSON", cause);
  }
}

/** Query values are text; the schema says what they mean. A name given twice is refused: servers differ on which counts. */
function readQuery(c: AppContext, { input }: RestOperation): Record<string, unknown> {
  const properties = (input.properties ?? {}) as Record<string, { type?: string }>;
  const entries = Object.entries(c.req.queries()).map(([name, values]) => {
    if (values.length > 1) throw validationFailed(name, "is given more than once");
    return [name, fromText(values[0] ?? "", properties[name]?.type)] as const;
  });
  return Object.fromEntries(entries.filter(([name]) => Object.hasOwn(properties, name)));
}

function fromText(value: string, type: string | undefined): unknown {
  if ((type === "integer" || type === "number") && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}
