import { loadConfig } from "../../src/config.js";
import { ATTACHMENTS, type Attachment } from "../../src/media/attachments.js";
import { mediaTypeOf } from "../../src/media/content-type.js";
import type { MediaErrorCode } from "../../src/media/errors.js";
import { DECODABLE_TYPES } from "../../src/pipeline/decodable-types.js";
import { describeUploads, UPLOAD_SCHEMAS } from "../../src/router/openapi-uploads.js";
import { answerText } from "./answer-text.js";
import { failureLinks } from "./failures.js";
import { code, table } from "./markdown.js";
import { type Schema, typeText } from "./schema-text.js";

/** What the limits are where nothing is configured. */
const DEFAULTS = loadConfig({});
const MIB = 1024 * 1024;

type Operation = {
  summary: string;
  parameters: { name: string; in: string; description?: string; schema: Schema }[];
  requestBody: { content: { "multipart/form-data": { schema: Schema } } };
  responses: Record<string, { description?: string }>;
};
const operationAt = (path: string): Operation => describeUploads()[path]?.post as Operation;

const GENERAL = "/v1/media/upload";
const BATCH = "/v1/media/batch/upload";

function describeRoute({ path, entityType, field, kind, imageLimit, accepts }: Attachment): string[] {
  const bytes = imageLimit === "avatar" ? DEFAULTS.MAX_AVATAR_BYTES : DEFAULTS.MAX_IMAGE_BYTES;
  const side = kind === "slot" ? DEFAULTS.MIN_SLOT_IMAGE_SIDE : DEFAULTS.MIN_IMAGE_SIDE;
  const types = accepts.filter((type) => DECODABLE_TYPES.some((one) => mediaTypeOf(one) === type));
  return [
    code(`/v1/media${path}`),
    code(`${entityType}.${field}`),
    kind,
    types.join(", "),
    `${bytes / MIB} MiB`,
    `${side} px`,
  ];
}

function describeFields(path: string): string {
  const { schema } = operationAt(path).requestBody.content["multipart/form-data"];
  const rows = Object.entries(schema.properties ?? {}).map(([name, value]) => {
    const field = value as Schema;
    const required = schema.required?.includes(name) ? ["required"] : [];
    const fallback = field.default === undefined ? [] : [`${code(JSON.stringify(field.default))} if absent`];
    const count = field.maxItems === undefined ? [] : [`${field.minItems} to ${field.maxItems} parts of this name`];
    return [
      code(name),
      code(typeText(field)),
      [...required, ...count, ...fallback, field.description ?? []].flat().join("; "),
    ];
  });
  return table(["form field", "type", ""], rows);
}

function describeHeaders(): string {
  const rows = operationAt(GENERAL)
    .parameters.filter((parameter) => parameter.in === "header")
    .map(({ name, schema, description }) => [code(name), code(schema.pattern ?? ""), description ?? ""]);
  return table(["header", "matches", ""], rows);
}

/** Those that are not failures; the batch's 400 is also an answer. */
function describeStatuses(): string {
  const rowsOf = (path: string) =>
    Object.entries(operationAt(path).responses).flatMap(([status, { description }]) =>
      description ? [[status, code(`POST ${path}`), description]] : [],
    );
  return table(["status", "of", ""], [...rowsOf(GENERAL), ...rowsOf(BATCH)]);
}

/** Of a file's bytes, however they came. */
export const FILE_REFUSALS = [
  "UNSUPPORTED_TYPE",
  "FILE_TOO_LARGE",
  "BAD_DIMENSIONS",
  "TOO_MANY_PIXELS",
  "CORRUPT_FILE",
  "DUPLICATE",
  "PROCESSING_FAILED",
  "STORAGE_UNAVAILABLE",
  "OVERLOADED",
  "UPLOAD_ELSEWHERE",
] as const satisfies readonly MediaErrorCode[];

/** Of one file; the ones every call may have come with them. */
const REFUSALS = [
  "FORBIDDEN",
  "ENTITY_NOT_FOUND",
  "VALIDATION",
  "MISSING_FILE",
  "TOO_MANY_FILES",
  "MALFORMED_MULTIPART",
  "EMPTY_FILE",
  ...FILE_REFUSALS,
  "CONFLICT",
  "IDEMPOTENCY_MISMATCH",
] as const satisfies readonly MediaErrorCode[];

export function describeUploadRoutes(): string {
  const { MAX_IMAGE_SIDE, MAX_IMAGE_PIXELS, MAX_ANIMATED_PIXELS } = DEFAULTS;
  return [
    "## multipart uploads\n",
    "`POST`, `multipart/form-data`, for whoever may upload to the entity. A gallery holds many items in order; a slot holds one, and the next one replaces it.\n",
    table(["path", "place", "kind", "takes", "at most", "each side at least"], ATTACHMENTS.map(describeRoute)),
    `Pictures may be ${DECODABLE_TYPES.map(code).join(", ")}; the type is found in the bytes. No side may be longer than ${MAX_IMAGE_SIDE} pixels, no picture larger than ${MAX_IMAGE_PIXELS / 1e6} million, all frames of an animation together ${MAX_ANIMATED_PIXELS / 1e6} million. These are the defaults; an installation may have others.\n`,
    `### One file\n\nTo a path above, or to ${code(`POST ${GENERAL}`)}, where the form or the query names the place. The order of the parts is free, but a place that stands before the file is refused before the file is read.\n`,
    describeFields(GENERAL),
    answerText(UPLOAD_SCHEMAS.UploadResult as unknown as Schema),
    `### Many files\n\n${code(`POST ${BATCH}`)}. ${operationAt(BATCH).summary}.\n`,
    describeFields(BATCH),
    answerText(UPLOAD_SCHEMAS.BatchResult as unknown as Schema),
    "### Headers and statuses\n",
    describeHeaders(),
    describeStatuses(),
    `Refusals: ${failureLinks(REFUSALS)}.\n`,
  ].join("\n");
}
