import { Hono } from "hono";
import { z } from "zod";
import { ATTACHMENTS } from "../media/attachments.js";
import { type DuplicateTier, MEDIA_ERROR_CODES } from "../media/errors.js";
import { mediaOutSchema } from "../media/model.js";
import { ERROR_MAP } from "../procedures/error-map.js";
import type { AppDeps, AppEnv } from "./app-env.js";
import { type JsonSchema, REST_OPERATIONS, type RestOperation } from "./rest-operations.js";

/** The description of every HTTP route, made once: operations from the procedures, uploads from the attachment table. */
export function openApiRoute(app: AppDeps): Hono<AppEnv> {
  let document: Record<string, unknown> | undefined;
  return new Hono<AppEnv>().get("/openapi.json", (c) => {
    document ??= describeApi(app);
    return c.json(document, 200, { "Cache-Control": "no-cache" });
  });
}

type Paths = Record<string, Record<string, unknown>>;

function describeApi({ version, deps }: AppDeps): Record<string, unknown> {
  return {
    openapi: "3.1.0",
    info: { title: "Artitec Media", version, description: "Pictures and videos of a platform's things." },
    servers: [{ url: deps.urls.baseUrl }],
    security: [{ bearer: [] }, { cookie: [] }, {}],
    paths: { ...describeOperations(), ...describeUploads(), ...describePlain() },
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        cookie: { type: "apiKey", in: "cookie", name: "session" },
      },
      schemas: { MediaOut: withoutDialect(z.toJSONSchema(mediaOutSchema)), Problem: PROBLEM, ...UPLOAD_SCHEMAS },
    },
  };
}

const withoutDialect = ({ $schema, ...schema }: JsonSchema): JsonSchema => schema;
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: unknown) => ({ "application/json": { schema } });

const PROBLEM = {
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

const TIERS = ["exact", "same", "similar"] as const satisfies readonly DuplicateTier[];

const UPLOAD_SCHEMAS = {
  UploadResult: {
    type: "object",
    required: ["media", "message", "duplicates"],
    properties: {
      media: ref("MediaOut"),
      message: { type: "string" },
      duplicates: {
        type: "array",
        items: {
          type: "object",
          required: ["publicId", "distance", "tier"],
          properties: { publicId: { type: "string" }, distance: { type: "integer" }, tier: { enum: TIERS } },
        },
      },
    },
  },
  BatchResult: {
    type: "object",
    required: ["uploaded", "uploadedCount", "failed", "failedCount", "message"],
    properties: {
      uploaded: { type: "array", items: ref("MediaOut") },
      uploadedCount: { type: "integer" },
      failed: {
        type: "array",
        items: {
          type: "object",
          required: ["index", "filename", "code", "message", "retryable"],
          properties: {
            index: { type: "integer" },
            filename: { type: "string" },
            code: { type: "string", enum: MEDIA_ERROR_CODES },
            message: { type: "string" },
            retryable: { type: "boolean" },
          },
        },
      },
      failedCount: { type: "integer" },
      message: { type: "string" },
    },
  },
};

/** One answer for each status any failure can have. */
const FAILURES = Object.fromEntries(
  [...new Set(MEDIA_ERROR_CODES.map((code) => ERROR_MAP[code].status))].map((status) => {
    const codes = MEDIA_ERROR_CODES.filter((code) => ERROR_MAP[code].status === status);
    return [String(status), { description: codes.join(", "), content: { "application/problem+json": { schema: ref("Problem") } } }];
  }),
);

function describeOperations(): Paths {
  const paths: Paths = {};
  for (const operation of REST_OPERATIONS) {
    const { path, method } = operation.route;
    paths[path] = { ...paths[path], [method.toLowerCase()]: describeOperation(operation) };
  }
  return paths;
}

function describeOperation({ procedure, route, meta, input, output }: RestOperation): Record<string, unknown> {
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
    operationId: procedure.replace(".", "_"),
    tags: [procedure.split(".")[0]],
    summary: meta.summary,
    parameters: [
      ...inPath.map((name) => parameter(name, "path")),
      ...(inQuery ? rest.map((name) => parameter(name, "query")) : []),
    ],
    ...(inQuery || rest.length === 0 ? {} : { requestBody: describeBody(input, rest) }),
    responses: { 200: { description: "Done", content: json(withoutDialect(output)) }, ...FAILURES },
  };
}

function describeBody(input: JsonSchema, names: readonly string[]) {
  const properties = Object.fromEntries(names.map((name) => [name, input.properties?.[name]]));
  const required = (input.required ?? []).filter((name) => names.includes(name));
  return { required: required.length > 0, content: json({ type: "object", properties, required }) };
}

const text = (description: string) => ({ type: "string", description });

const FORM_FIELDS = {
  alt_text: text("At most 500 characters"),
  caption: text("At most 5000 characters"),
  tags: text("Comma-separated, at most 30 of 50 characters"),
  sort_order: { type: "integer", description: "Place in the gallery; absent puts it last" },
  is_public: { type: "boolean", default: true },
  is_primary: { type: "boolean", default: false },
};

const PLACE_FIELDS = {
  entity_type: text("May stand in the query instead"),
  entity_id: text("Integer or public id; may stand in the query instead"),
  entity_field: text("May stand in the query instead"),
};

const FILE = { type: "string", contentMediaType: "application/octet-stream" };

function describeUploads(): Paths {
  const entries = ATTACHMENTS.map(({ path, entityType, field }) => [
    `/v1/media${path}`,
    { post: describeUpload(`upload_${entityType}_${field}`, `Upload to ${entityType}.${field}`, path) },
  ]);
  const general = describeUpload("upload_any", "Upload to the place the form names", "", PLACE_FIELDS);
  return { ...Object.fromEntries(entries), "/v1/media/upload": { post: general }, "/v1/media/batch/upload": { post: BATCH } };
}

function describeUpload(operationId: string, summary: string, path: string, place: object = {}) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const form = { type: "object", required: ["file"], properties: { file: FILE, ...place, ...FORM_FIELDS } };
  return {
    operationId,
    tags: ["uploads"],
    summary,
    parameters: names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    requestBody: { required: true, content: { "multipart/form-data": { schema: form } } },
    responses: { 201: { description: "Stored", content: json(ref("UploadResult")) }, ...FAILURES },
  };
}

const BATCH_FORM = {
  type: "object",
  required: ["files"],
  properties: { files: { type: "array", items: FILE, minItems: 1, maxItems: 20 }, ...PLACE_FIELDS, ...FORM_FIELDS },
};

const BATCH = {
  operationId: "upload_batch",
  tags: ["uploads"],
  summary: "Upload up to 20 files to one place; each stands or falls for itself",
  requestBody: { required: true, content: { "multipart/form-data": { schema: BATCH_FORM } } },
  responses: {
    201: { description: "All stored", content: json(ref("BatchResult")) },
    207: { description: "Some stored", content: json(ref("BatchResult")) },
    ...FAILURES,
    400: { description: "None stored", content: { ...json(ref("BatchResult")), "application/problem+json": { schema: ref("Problem") } } },
  },
};

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
        ...plain("file", "Bytes of an original or a variant; private ones with the signature their URL carries", "image/*").get,
        parameters: [{ name: "key", in: "path", required: true, schema: { type: "string" } }],
      },
    },
    "/healthz": plain("healthz", "The process runs", "application/json"),
    "/readyz": plain("readyz", "Database and storage answer", "application/json"),
    "/metrics": plain("metrics", "Prometheus metrics", "text/plain"),
    "/openapi.json": plain("openapi", "This description", "application/json"),
  };
}
