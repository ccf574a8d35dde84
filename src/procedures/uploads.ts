import { tracked } from "@trpc/server";
import { z } from "zod";
import { ENTITY_FIELDS, ENTITY_TYPES, type EntityType, findAttachment } from "../media/attachments.js";
import { DIRECT_UPLOAD_STATES } from "../media/direct-ports.js";
import {
  type DirectUploadStatus,
  directUploadStatus,
  findOwnTicket,
  openDirectUpload,
} from "../media/direct-upload.js";
import { type DirectUploadEvent, watchDirectUpload } from "../media/direct-watch.js";
import { describeFailure, MediaError, validationFailed } from "../media/errors.js";
import { isWithoutNul, mediaOutSchema, NUL_REFUSED, TEXT_LIMITS } from "../media/model.js";
import type { ServiceDeps } from "../media/ports.js";
import { tagsSchema, type UploadFields, uploadFieldsSchema } from "../media/upload-fields.js";
import { describeUploaded, type UploadPlace } from "../media/upload-request.js";
import { toMediaOut } from "../media/view.js";
import { toTrpcError } from "./error-map.js";
import { entityTypeSchema, failureCode, isoDateOut, refSchema } from "./inputs.js";
import { procedure, router } from "./trpc.js";

const DUPLICATE_WISHES = uploadFieldsSchema.shape.on_duplicate.unwrap().options;
/** 32-bit, so that it fits the column on every database. */
const sortOrder = z.number().int().min(-2_147_483_648).max(2_147_483_647);

const createInput = z.object({
  entityType: entityTypeSchema,
  entityId: refSchema,
  field: z.enum(ENTITY_FIELDS),
  parent: refSchema.optional().describe("The parent the entity must belong to, where its type has one"),
  filename: z.string().trim().min(1).max(TEXT_LIMITS.filename).refine(isWithoutNul, NUL_REFUSED),
  contentType: z.string().max(100).optional().describe("Compared with what is taken here; the bytes decide later"),
  fileSize: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).describe("Bytes, exactly"),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits in lower case")
    .optional()
    .describe("Of the file; other bytes are then refused"),
  altText: z.string().max(TEXT_LIMITS.altText).refine(isWithoutNul, NUL_REFUSED).nullish(),
  caption: z.string().max(TEXT_LIMITS.caption).refine(isWithoutNul, NUL_REFUSED).nullish(),
  tags: tagsSchema.optional(),
  isPublic: z.boolean().default(true),
  isPrimary: z.boolean().default(false),
  sortOrder: sortOrder.optional().describe("Place in the gallery; absent puts it last"),
  onDuplicate: z.enum(DUPLICATE_WISHES).default("keep"),
});
type CreateInput = z.output<typeof createInput>;

function placeOf({ entityType, entityId, field, parent }: CreateInput): UploadPlace {
  const attachment = findAttachment(entityType, field);
  if (!attachment) throw validationFailed("field", "there is no such place for media");
  const parentType: EntityType | null = ENTITY_TYPES[entityType].parent;
  if (parent === undefined) return { attachment, ref: entityId };
  if (!parentType) throw validationFailed("parent", `a ${entityType} has no parent`);
  return { attachment, ref: entityId, parent: { type: parentType, ref: parent } };
}

const fieldsOf = ({ altText, caption, tags = [], isPublic, isPrimary, ...input }: CreateInput): UploadFields => ({
  alt_text: altText?.trim() ? altText : null,
  caption: caption?.trim() ? caption : null,
  tags,
  is_public: isPublic,
  is_primary: isPrimary,
  sort_order: input.sortOrder,
  on_duplicate: input.onDuplicate,
});

const uploadInput = z.object({ uploadId: z.string().min(1).max(64) });

const statusOut = z.object({
  uploadId: z.string(),
  state: z.enum(DIRECT_UPLOAD_STATES),
  receivedBytes: z.number().int().nullable().describe("What lies in the store; null where that is not known"),
  expiresAt: isoDateOut.describe("End of the address"),
  failure: z.object({ code: failureCode, detail: z.string() }).nullable(),
  media: mediaOutSchema.nullable(),
});
type StatusOut = z.output<typeof statusOut>;

async function toStatusOut(deps: ServiceDeps, status: DirectUploadStatus): Promise<StatusOut> {
  const { failure, media, expiresAt, ...rest } = status;
  return {
    ...rest,
    expiresAt: expiresAt.toISOString(),
    failure: failure && { code: failure.code, detail: describeFailure(failure) },
    media: media && (await toMediaOut(deps, media)),
  };
}

/** What goes wrong under way passes no middleware any more; its status is made here. */
async function* toEvents(deps: ServiceDeps, events: AsyncIterable<DirectUploadEvent>) {
  try {
    for await (const { id, status } of events) yield tracked(id, await toStatusOut(deps, status));
  } catch (error) {
    throw error instanceof MediaError ? toTrpcError(error) : error;
  }
}

export const uploadsRouter = router({
  createDirect: procedure({
    audience: "manager",
    summary: "An address for one file, which the client puts into the store itself; then complete it",
    rest: [{ method: "POST", path: "/v1/media/direct" }],
  })
    .input(createInput)
    .output(
      z.object({
        uploadId: z.string(),
        method: z.literal("PUT"),
        url: z.string(),
        headers: z.record(z.string(), z.string()).describe("To be sent as they are"),
        expiresAt: isoDateOut,
      }),
    )
    .mutation(async ({ ctx: { deps, actor }, input }) => {
      const { filename, fileSize, contentType = null, sha256 = null } = input;
      const declared = { filename, fileSize, contentType, sha256, fields: fieldsOf(input) };
      const { ticket, address } = await openDirectUpload(deps, actor, placeOf(input), declared);
      return { uploadId: ticket.id, method: "PUT", ...address, expiresAt: ticket.expiresAt.toISOString() };
    }),

  complete: procedure({
    audience: "signed-in",
    summary: "Make media of what was put; called again it answers the same",
    rest: [{ method: "POST", path: "/v1/media/direct/{uploadId}/complete" }],
  })
    .input(uploadInput)
    .output(
      z.object({
        media: mediaOutSchema,
        message: z.string(),
        duplicates: z.array(
          z.object({ publicId: z.string(), distance: z.number().int(), tier: z.enum(["exact", "same", "similar"]) }),
        ),
      }),
    )
    .mutation(async ({ ctx: { deps, actor, uploads }, input }) => {
      const uploaded = await uploads.complete(actor, input.uploadId);
      const media = await toMediaOut(deps, uploaded.media);
      return { media, message: describeUploaded(uploaded), duplicates: [...uploaded.duplicates] };
    }),

  status: procedure({
    audience: "signed-in",
    summary: "How a direct upload stands, for whoever asked for it",
    rest: [{ method: "GET", path: "/v1/media/direct/{uploadId}" }],
  })
    .input(uploadInput)
    .output(statusOut)
    .query(async ({ ctx: { deps, actor }, input }) =>
      toStatusOut(deps, await directUploadStatus(deps, actor, input.uploadId)),
    ),

  onProgress: procedure({
    audience: "signed-in",
    summary: "The same as a stream of events, one for each change, until it is ready or failed",
    events: statusOut,
  })
    .input(uploadInput.extend({ lastEventId: z.string().max(100).nullish() }))
    .subscription(async ({ ctx: { deps, actor, isDraining }, input, signal }) => {
      // Before the stream begins, so that the call itself is refused, whoever makes it.
      await findOwnTicket(deps, actor, input.uploadId);
      return toEvents(deps, watchDirectUpload(deps, actor, { ...input, signal, isDraining }));
    }),
});
