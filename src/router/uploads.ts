import { type Context, Hono } from "hono";
import { z } from "zod";
import { requirePrincipal } from "../media/access.js";
import { ATTACHMENTS, type Attachment, ENTITY_TYPES, type EntityType, findAttachment } from "../media/attachments.js";
import { MediaError } from "../media/errors.js";
import { admit, maxUploadBytes } from "../media/inspect.js";
import type { Deps } from "../media/ports.js";
import { uploadMedia } from "../media/upload.js";
import { parseUploadFields } from "../media/upload-fields.js";
import {
  describeUploaded,
  openUpload,
  type Uploaded,
  type UploadPlace,
  type UploadTarget,
} from "../media/upload-request.js";
import { toMediaOut } from "../media/view.js";
import type { AppContext, AppDeps, AppEnv } from "./app-env.js";
import { type FormFields, readForm } from "./multipart.js";
import { type ReceivedFile, receiveFile } from "./receive-file.js";

/** What a form may hold beside its files: boundaries, headers, text fields. Bytes. */
const FORM_OVERHEAD_BYTES = 1024 * 1024;

/** One POST for each row of the attachment table, and the general one whose form names the place. */
export function uploadRoutes(app: AppDeps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.post("/v1/media/upload", (c) => receiveGeneral(app, c));
  for (const attachment of ATTACHMENTS) {
    const path = `/v1/media${attachment.path.replaceAll(/\{(\w+)\}/g, ":$1")}`;
    routes.post(path, (c) => receiveAt(app, c, attachment));
  }
  return routes;
}

/** A route that names its place: every check that needs no file comes before the body. */
async function receiveAt(app: AppDeps, c: AppContext, attachment: Attachment): Promise<Response> {
  const { deps } = app;
  const target = await openUpload(deps, c.get("actor"), placeInPath(c, attachment));
  refuseDeclaredSize(c, maxUploadBytes(attachment, deps.limits));
  return receiveOne(app, c, () => Promise.resolve(target));
}

function placeInPath(c: Context, attachment: Attachment): UploadPlace {
  const parentType: EntityType | null = ENTITY_TYPES[attachment.entityType].parent;
  const parentRef = c.req.param("parentId");
  const parent = parentType && parentRef !== undefined ? { type: parentType, ref: parentRef } : undefined;
  return { attachment, ref: c.req.param("id") ?? "", parent };
}

/** The place stands in the query or in the form; permission is decided as soon as it is known. */
async function receiveGeneral(app: AppDeps, c: AppContext): Promise<Response> {
  const { deps } = app;
  requirePrincipal(c.get("actor"));
  refuseDeclaredSize(c, maxUploadBytes(null, deps.limits));
  const open = placeOpener(deps, c);
  await open(new Map(), { isComplete: false });
  return receiveOne(app, c, open);
}

type OpenTarget = (fields: FormFields, form: { isComplete: boolean }) => Promise<UploadTarget | null>;

/** Authorises once, as soon as the three entity fields are there; null while they are not. */
export function placeOpener(deps: Pick<Deps, "database" | "clock">, c: AppContext): OpenTarget {
  let target: UploadTarget | null = null;
  return async (fields, { isComplete }) => {
    if (target) return target;
    const place = placeInFields(c, fields, isComplete);
    target = place && (await openUpload(deps, c.get("actor"), place));
    return target;
  };
}

const placeSchema = z
  .object({ entity_type: z.string(), entity_id: z.string().min(1).max(64), entity_field: z.string() })
  .transform((place, ctx): UploadPlace => {
    const attachment = findAttachment(place.entity_type, place.entity_field);
    if (attachment) return { attachment, ref: place.entity_id };
    const path = Object.hasOwn(ENTITY_TYPES, place.entity_type) ? "entity_field" : "entity_type";
    ctx.addIssue({ code: "custom", path: [path], message: "there is no such place for media" });
    return z.NEVER;
  });

function placeInFields(c: AppContext, fields: FormFields, isComplete: boolean): UploadPlace | null {
  const value = (name: string, camel: string) =>
    c.req.query(name) ?? c.req.query(camel) ?? fields.get(name) ?? fields.get(camel);
  const place = {
    entity_type: value("entity_type", "entityType"),
    entity_id: value("entity_id", "entityId"),
    entity_field: value("entity_field", "entityField"),
  };
  if (!isComplete && Object.values(place).includes(undefined)) return null;
  return placeSchema.parse(place);
}

/** Refuses by the declared length alone; a body that lies about it is cut while it is read. */
export function refuseDeclaredSize(c: AppContext, maxBytes: number): void {
  const declared = Number(c.req.header("content-length") ?? 0);
  if (declared > maxBytes + FORM_OVERHEAD_BYTES) throw new MediaError({ code: "FILE_TOO_LARGE", maxBytes });
}

/** Reads the form, stores its file, and leaves nothing in the spool. */
async function receiveOne({ deps, bodyIdleMs }: AppDeps, c: AppContext, open: OpenTarget): Promise<Response> {
  const received: ReceivedFile[] = [];
  let ignored = 0;
  try {
    const fields = await readForm(c.req.raw, {
      fileNames: ["file"],
      idleMs: bodyIdleMs,
      onFile: async (part, soFar) => {
        if (part.name !== "file" || received.length > 0) {
          ignored++;
          return;
        }
        const target = await open(soFar, { isComplete: false });
        received.push(await receiveFile(deps.spool, part, (head) => admit(deps, target?.attachment ?? null, head)));
      },
    });
    const target = await open(fields, { isComplete: true });
    const [file] = received;
    if (!file || !target) throw new MediaError({ code: "MISSING_FILE", field: "file" });
    const incoming = { file: file.file, filename: file.filename, fields: parseUploadFields(fields) };
    const idempotencyKey = readIdempotencyKey(c);
    const uploaded = await uploadMedia(deps, { actor: c.get("actor"), target, incoming, idempotencyKey });
    if (uploaded.replayed) c.header("Idempotent-Replay", "true");
    return c.json(await uploadAnswer(deps, uploaded, ignored), uploaded.replayed || uploaded.reused ? 200 : 201);
  } finally {
    await Promise.all(received.map((file) => file.discard()));
  }
}

/** The client's name for this upload, from its header; null where it gave none. Throws VALIDATION. */
export function readIdempotencyKey(c: AppContext): string | null {
  const key = c.req.header("idempotency-key");
  if (key === undefined || /^[\x21-\x7e]{1,200}$/.test(key)) return key ?? null;
  const issues = [{ path: "Idempotency-Key", message: "must be 1 to 200 visible ASCII characters" }];
  throw new MediaError({ code: "VALIDATION", issues });
}

async function uploadAnswer(deps: Deps, uploaded: Uploaded, ignored: number) {
  const { media, duplicates } = uploaded;
  const rest =
    ignored === 0 ? "" : ` Further file parts were ignored (${ignored}): this address takes one, named "file".`;
  return { media: await toMediaOut(deps, media), message: `${describeUploaded(uploaded)}${rest}`, duplicates };
}
