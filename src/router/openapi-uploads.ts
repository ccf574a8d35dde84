import { ATTACHMENTS } from "../media/attachments.js";
import { type DuplicateTier, MEDIA_ERROR_CODES } from "../media/errors.js";
import { uploadFieldsSchema } from "../media/upload-fields.js";
import { BATCH_EXAMPLE, UPLOAD_EXAMPLE } from "./openapi-examples.js";
import { FAILURES, failureContent } from "./openapi-failures.js";
import { json, type Paths, ref } from "./openapi-parts.js";

const TIERS = ["exact", "same", "similar"] as const satisfies readonly DuplicateTier[];

export const UPLOAD_SCHEMAS = {
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
          properties: {
            publicId: { type: "string" },
            distance: { type: "integer" },
            tier: { type: "string", enum: TIERS },
          },
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

const text = (description: string) => ({ type: "string", description });

const FORM_FIELDS = {
  alt_text: text("At most 500 characters"),
  caption: text("At most 5000 characters"),
  tags: text("Comma-separated, at most 30 of 50 characters"),
  sort_order: { type: "integer", description: "Place in the gallery; absent puts it last" },
  is_public: { type: "boolean", default: true },
  is_primary: { type: "boolean", default: false },
  on_duplicate: {
    type: "string",
    enum: uploadFieldsSchema.shape.on_duplicate.unwrap().options,
    default: "keep",
    description: "What becomes of a copy within its entity: stored, refused (409), or answered by the item there is",
  },
};

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "The same key, caller and content answers the first result again",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,200}$" },
};

const PLACE_FIELDS = {
  entity_type: text("May stand in the query instead"),
  entity_id: text("Integer or public id; may stand in the query instead"),
  entity_field: text("May stand in the query instead"),
};

/** `format` says nothing in OpenAPI 3.1 and a file to tools that learnt 3.0. */
const FILE = { type: "string", format: "binary", contentMediaType: "application/octet-stream" };

/** Every upload address: one a row of the attachment table, the general one, the batch and what takes direct uploads. */
export function describeUploads(): Paths {
  const general = describeUpload("upload_any", "Upload to the place the form names", "", PLACE_FIELDS);
  const paths: Paths = {
    "/v1/media/upload": { post: general },
    "/v1/media/batch/upload": { post: BATCH },
    "/v1/media/direct/{uploadId}": { put: DIRECT_PUT },
  };
  for (const { path, entityType, field } of ATTACHMENTS)
    paths[`/v1/media${path}`] = {
      post: describeUpload(`upload_${entityType}_${field}`, `Upload to ${entityType}.${field}`, path),
    };
  return paths;
}

function describeUpload(operationId: string, summary: string, path: string, place: object = {}) {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const form = { type: "object", required: ["file"], properties: { file: FILE, ...place, ...FORM_FIELDS } };
  return {
    operationId,
    tags: ["uploads"],
    summary,
    parameters: [
      ...names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
      ...queryOf(place),
      IDEMPOTENCY_KEY,
    ],
    requestBody: { required: true, content: { "multipart/form-data": { schema: form } } },
    responses: {
      200: { description: "Stored before: a replay, or the item `reuse` found", content: UPLOADED },
      201: { description: "Stored", content: UPLOADED },
      ...FAILURES,
    },
  };
}

const queryOf = (place: object) =>
  Object.entries(place).map(([name, schema]) => ({ name, in: "query", required: false, schema: schema as unknown }));
const UPLOADED = json(ref("UploadResult"), UPLOAD_EXAMPLE);
const UPLOADED_BATCH = json(ref("BatchResult"), BATCH_EXAMPLE);

const BATCH_FORM = {
  type: "object",
  required: ["files"],
  properties: { files: { type: "array", items: FILE, minItems: 1, maxItems: 20 }, ...PLACE_FIELDS, ...FORM_FIELDS },
};

const BATCH = {
  operationId: "upload_batch",
  tags: ["uploads"],
  summary: "Upload up to 20 files to one place; each stands or falls for itself",
  parameters: [...queryOf(PLACE_FIELDS), IDEMPOTENCY_KEY],
  requestBody: { required: true, content: { "multipart/form-data": { schema: BATCH_FORM } } },
  responses: {
    200: { description: "A replay", content: json(ref("BatchResult")) },
    201: { description: "All stored", content: json(ref("BatchResult")) },
    207: { description: "Some stored", content: UPLOADED_BATCH },
    ...FAILURES,
    400: { description: "None stored", content: { ...json(ref("BatchResult")), ...failureContent(400) } },
  },
};

const DIRECT_PUT = {
  operationId: "put_direct",
  tags: ["uploads"],
  summary: "The bytes of a direct upload, where the store is a folder: the address, query included, is given whole",
  security: [],
  parameters: [
    { name: "uploadId", in: "path", required: true, schema: { type: "string" } },
    ...["expires", "signature"].map((name) => ({ name, in: "query", required: true, schema: { type: "string" } })),
  ],
  requestBody: { required: true, content: { "application/octet-stream": { schema: FILE } } },
  responses: { 204: { description: "Stored" }, ...FAILURES },
};
