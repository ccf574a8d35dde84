import { z } from "zod";
import { ENTITY_TYPE_NAMES } from "../media/attachments.js";
import { MEDIA_ERROR_CODES, type MediaErrorCode } from "../media/errors.js";
import { TEXT_LIMITS } from "../media/model.js";

/** Either id: the integer, or the public id. Public ids are not parsed further: real ones deviate from any pattern. */
export const refSchema = z
  .union([z.number().int().positive().max(Number.MAX_SAFE_INTEGER), z.string().min(1).max(TEXT_LIMITS.publicId)])
  .describe("Integer id or public id");

export const entityTypeSchema = z.enum(ENTITY_TYPE_NAMES);

/** A public id the platform gives: it becomes part of paths and object keys. */
export const newPublicIdSchema = z
  .string()
  .max(TEXT_LIMITS.publicId)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._~:@-]*$/, "letters, digits and . _ ~ : @ - only, beginning with a letter or digit")
  .refine((value) => !/^\d+$/.test(value), "must not be a number: it would be taken for an integer id");

export const isoDateOut = z.iso.datetime();

/** A moment with its zone, or a day of UTC. */
export const timeSchema = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);

/** What a batch of items names. */
export const refsSchema = z.array(refSchema).min(1).max(100);

export const failureCode = z.enum(MEDIA_ERROR_CODES as [MediaErrorCode, ...MediaErrorCode[]]);

/** What every batch answers of the items it could not do. */
export const perItemFailures = z.object({
  failed: z.array(
    z.object({
      id: refSchema,
      code: failureCode,
      message: z.string(),
    }),
  ),
  failedCount: z.number().int(),
  message: z.string(),
});
