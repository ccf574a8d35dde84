import { join } from "node:path";
import { z } from "zod";
import type { DeriveJob, RenderedVariant, RenderJob } from "../media/ports.js";
import { VARIANT_NAMES } from "../media/variants.js";

/** What the server asks of a pixel process, one at a time. Paths are absolute. Sent by this code alone: not parsed. */
export type PixelRequest =
  | { kind: "inspect"; path: string; contentType: string }
  | { kind: "render"; job: RenderJob; maxPixels: number }
  | { kind: "derive"; job: DeriveJob; maxPixels: number };

/**
 * What a pixel process answers. It handles hostile files, so the server believes no more than this: an answer of
 * another shape counts as a crash.
 */
export const pixelReplySchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), value: z.unknown() }),
  z.object({
    ok: z.literal(false),
    failure: z.discriminatedUnion("code", [
      z.object({ code: z.literal("UNSUPPORTED_TYPE"), detected: z.string(), accepted: z.array(z.string()) }),
      z.object({ code: z.literal("CORRUPT_FILE"), reason: z.string() }),
      z.object({ code: z.literal("TOO_MANY_PIXELS"), pixels: z.number(), maxPixels: z.number() }),
      z.object({ code: z.literal("PROCESSING_FAILED"), reason: z.string() }),
    ]),
    /** For the log: the error as it was, with paths and stack. */
    detail: z.string(),
  }),
]);
/** A pixel process's first word: it waits for work. */
export const READY = "ready";

export type PixelReply = z.infer<typeof pixelReplySchema>;
export type PixelFailure = Extract<PixelReply, { ok: false }>["failure"];

/** Where a variant is written: both sides compute it, so that an answer cannot name another file. */
export const variantPath = (
  folder: string,
  { name, contentType }: Pick<RenderedVariant, "name" | "contentType">,
): string => join(folder, `${name}.${contentType === "image/webp" ? "webp" : "jpg"}`);

/** Where the one file of a derivation is written. */
export const derivedPath = ({ outputFolder }: Pick<DeriveJob, "outputFolder">): string => join(outputFolder, "derived");

const side = z.number().int().positive();

export const imageHeaderSchema = z.object({
  width: side,
  height: side,
  frames: z.number().int().positive(),
  heldPixels: z.number().int().nonnegative(),
});

/** Both sides know where it lies and what it is. */
export const derivedSchema = z.null();

/** RenderedImage without the paths. */
export const renderedImageSchema = z.object({
  width: side,
  height: side,
  variants: z.array(
    z.object({
      name: z.enum(VARIANT_NAMES),
      width: side,
      height: side,
      contentType: z.enum(["image/jpeg", "image/webp"]),
    }),
  ),
  perceptualHash: z
    .string()
    .regex(/^[01]{64}$/)
    .nullable(),
  placeholder: z.base64(),
  dominantColor: z.string().regex(/^#[0-9a-f]{6}$/),
  exif: z.record(z.string(), z.union([z.string(), z.number()])),
  originalChanged: z.boolean(),
});
