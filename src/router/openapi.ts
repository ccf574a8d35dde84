import { Hono } from "hono";
import { z } from "zod";
import { mediaOutSchema } from "../media/model.js";
import { SCOPES } from "../media/rights.js";
import type { ApiDeps, AppEnv } from "./app-env.js";
import { EXAMPLES } from "./openapi-examples.js";
import { FAILURE_RESPONSES, FAILURES, PROBLEM } from "./openapi-failures.js";
import { IMAGE_PATHS } from "./openapi-image.js";
import { json, jsonOfEither, type Paths, ref } from "./openapi-parts.js";
import { describeUploads, UPLOAD_SCHEMAS } from "./openapi-uploads.js";
import { type JsonSchema, REST_OPERATIONS, type RestOperation } from "./rest-operations.js";

/** As much of the application as its description shows. */
type Described = Pick<ApiDeps, "version" | "elsewhere"> & { deps: { urls: Pick<ApiDeps["deps"]["urls"], "baseUrl"> } };

/** The description of every HTTP route, made once: operations from the procedures, uploads from the attachment table. */
export function openApiRoute(app: Described): Hono<AppEnv> {
  let document: Record<string, unknown> | undefined;
  return new Hono<AppEnv>().get("/openapi.json", (c) => {
    document ??= describeApi(app);
    return c.json(document, 200, { "Cache-Control": "no-cache" });
  });
}

/** The whole document. What it says holds for any caller: it never changes while the server runs. */
export function describeApi({ version, elsewhere, deps }: Described): Record<string, unknown> {
  return {
    openapi: "3.1.0",
    info: { title: "Artitec Media", version, description: "Pictures and videos of a platform's things." },
    servers: [{ url: deps.urls.baseUrl }],
    security: [{ bearer: [] }, { cookie: [] }, {}],
    paths: joinPaths([
      describeOperations(),
      describePlain(),
      IMAGE_PATHS,
      servedBy(elsewhere, joinPaths([describeUploads(), ON_NODE])),
    ]),
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: BEARER },
        cookie: { type: "apiKey", in: "cookie", name: "session" },
      },
      responses: FAILURE_RESPONSES,
      schemas: { MediaOut: MEDIA_OUT, Problem: PROBLEM, ...UPLOAD_SCHEMAS },
    },
  };
}

const BEARER =
  `A user's session token; the service token, which has every right; or a named token of the platform's tools, which ` +
  `has what its scopes grant: ${SCOPES.join(", ")}. One that is unknown, expired or revoked is 401, a scope that is ` +
  "missing 403, named in `right` as in `scope:upload`.";

/** An address may have methods from several sources. */
function joinPaths(sources: readonly Paths[]): Paths {
  const paths: Paths = {};
  for (const [path, methods] of sources.flatMap(Object.entries<Paths[string]>))
    paths[path] = { ...paths[path], ...methods };
  return paths;
}

const withoutDialect = ({ $schema, ...schema }: JsonSchema): JsonSchema => schema;

const MEDIA_OUT = withoutDialect(z.toJSONSchema(mediaOutSchema));
const MEDIA_OUT_TEXT = JSON.stringify(MEDIA_OUT);

/** The same schema naming MediaOut where it stood in full: generated clients then have one type of it. */
function namingMediaOut(schema: unknown): unknown {
  if (JSON.stringify(schema) === MEDIA_OUT_TEXT) return ref("MediaOut");
  if (Array.isArray(schema)) return schema.map(namingMediaOut);
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, namingMediaOut(value)]));
}

function describeOperations(): Paths {
  const paths: Paths = {};
  for (const operation of REST_OPERATIONS) {
    const { path, method } = operation.route;
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(operation) };
  }
  return paths;
}

function describeOperation({
  operationId,
  procedure,
  route,
  meta,
  input,
  output,
}: RestOperation): Record<string, unknown> {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const rest = Object.keys(input.properties ?? {}).filter((name) => !inPath.includes(name));
  const inQuery = route.method === "GET" || route.method === "DELETE";
  const parameter = (name: string, where: "path" | "query") => ({
    name,
    in: where,
    required: where === "path" || (input.required ?? []).includes(name),
    schema: input.properties?.[name] ?? { type: "string" },
  });
  return {
    operationId,
    tags: [procedure.split(".")[0]],
    summary: meta.summary,
    parameters: [
      ...inPath.map((name) => parameter(name, "path")),
      ...(inQuery ? rest.map((name) => parameter(name, "query")) : []),
    ],
    ...(inQuery || rest.length === 0 ? {} : { requestBody: describeBody({ operationId, route, input }, rest) }),
    responses: {
      200: {
        description: "Done",
        content: json(namingMediaOut(withoutDialect(output)), EXAMPLES[operationId]?.answer),
      },
      ...FAILURES,
    },
  };
}

/** `names` are the inputs the body holds. */
function describeBody(
  { operationId, route, input }: Pick<RestOperation, "operationId" | "route" | "input">,
  names: readonly string[],
) {
  const properties = Object.fromEntries(names.map((name) => [name, input.properties?.[name]]));
  const required = (input.required ?? []).filter((name) => names.includes(name));
  const object = { type: "object", properties, required };
  const example = EXAMPLES[operationId]?.body;
  const { arrayInput } = route;
  const content =
    arrayInput === undefined
      ? json(object, example)
      : jsonOfEither([object, properties[arrayInput]], example && { object: example, array: example[arrayInput] });
  return { required: required.length > 0, content };
}

const plain = (operationId: string, summary: string, contentType: string) => ({
  get: {
    operationId,
    tags: ["operations"],
    summary,
    security: [],
    responses: { 200: { description: "Done", content: { [contentType]: { schema: {} } } } },
  },
});

function describePlain(): Paths {
  return {
    "/files/{key}": {
      get: {
        ...plain(
          "file",
          "Bytes of an original or a variant; private ones with the signature their URL carries. JPEG variants as AVIF or WebP where Accept names it",
          "image/*",
        ).get,
        parameters: [{ name: "key", in: "path", required: true, schema: { type: "string" } }],
      },
    },
    "/healthz": plain("healthz", "The process runs", "application/json"),
    "/readyz": plain("readyz", "Database and storage answer", "application/json"),
    "/openapi.json": plain("openapi", "This description", "application/json"),
  };
}

const ON_NODE: Paths = {
  "/metrics": plain("metrics", "Prometheus metrics", "text/plain"),
  "/docs": plain("docs", "This description as a page, with calls to try", "text/html"),
};

/** What another server does is described with its address, or not at all where that is not known. */
function servedBy(elsewhere: string | null | undefined, paths: Paths): Paths {
  if (elsewhere === undefined) return paths;
  if (elsewhere === null) return {};
  const servers = [{ url: elsewhere }];
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, { servers, ...item }]));
}
