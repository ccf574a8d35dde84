import { z } from "zod";
import { ENTITY_FIELDS, ENTITY_TYPE_NAMES, type EntityField, type EntityType, type MediaType } from "./attachments.js";
import type { VariantName } from "./variants.js";

export const MEDIA_TYPES = ["IMAGE", "VIDEO"] as const satisfies readonly MediaType[];
export const STORAGE_TYPES = ["local", "s3"] as const;
export const MODERATION_STATUSES = ["pending", "approved", "rejected", "flagged"] as const;
export const PROCESSING_STATUSES = ["processing", "ready", "failed"] as const;
export const USER_ROLES = ["user", "moderator", "admin"] as const;

export type StorageType = (typeof STORAGE_TYPES)[number];
export type ModerationStatus = (typeof MODERATION_STATUSES)[number];
export type ProcessingStatus = (typeof PROCESSING_STATUSES)[number];
export type UserRole = (typeof USER_ROLES)[number];

/** Lengths the contract sets, in characters. The schema, the inputs and the forms read them from here. */
export const TEXT_LIMITS = { altText: 500, caption: 5000, tags: 30, tag: 50, filename: 255, publicId: 64 } as const;

/** True of text that every database gives back as it was: SQLite's driver takes a NUL for the end. */
export const isWithoutNul = (text: string): boolean => !text.includes("\0");
export const NUL_REFUSED = "must not contain NUL";

export type FocalPoint = { x: number; y: number };

/** A rendition as stored. `key` is its object key; sizes in pixels and bytes. */
export type Variant = {
  name: VariantName;
  key: string;
  width: number;
  height: number;
  contentType: string;
  fileSize: number;
};

/** A media item as the domain knows it: the row and its variants. Keys are object keys, never URLs. */
export type Media = {
  id: number;
  publicId: string;
  filename: string;
  originalFilename: string;
  mediaType: MediaType;
  contentType: string;
  /** Bytes of the stored original. */
  fileSize: number;
  /** Pixels after orientation. */
  width: number | null;
  height: number | null;
  /** Seconds; null for pictures. */
  duration: number | null;
  /** 64 characters of 0 and 1; null for a flat picture. */
  imageHash: string | null;
  /** SHA-256 of the bytes as received, lower-case hex. */
  contentSha256: string;
  storageType: StorageType;
  bucketName: string | null;
  /** Object key of the original. */
  storagePath: string;
  videoProcessedKey: string | null;
  /** Bytes of the processed video; given exactly when its key is. */
  videoProcessedSize?: number;
  variants: Variant[];
  /** What the variants were made by, see `rendering.ts`; null where that is not known. */
  renderedAs: string | null;
  entityType: EntityType;
  entityId: number;
  entityPublicId: string;
  entityField: EntityField;
  altText: string | null;
  caption: string | null;
  /** Gallery order is (sortOrder, orderKey, id); orderKey compares bytewise. */
  sortOrder: number;
  orderKey: string;
  isPrimary: boolean;
  sourceUrl: string | null;
  tags: string[];
  metadata: Record<string, unknown>;
  /** Thumbhash, base64. */
  placeholder: string | null;
  /** `#rrggbb`. */
  dominantColor: string | null;
  focalPoint: FocalPoint | null;
  /** Public id of the user; null where a service uploaded. */
  uploadedBy: string | null;
  isPublic: boolean;
  moderationStatus: ModerationStatus;
  processingStatus: ProcessingStatus;
  createdAt: Date;
  updatedAt: Date;
  /** When it went to the trash; null while it is current. */
  deletedAt: Date | null;
  /** Since when its objects are known to be gone from the store; null while they are there. */
  missingSince: Date | null;
};

const nullableUrl = z.string().nullable().describe("Null where the rendition was not made");

/** What the API answers for one item. Every field is always there. */
export const mediaOutSchema = z.object({
  id: z.number().int(),
  publicId: z.string(),
  filename: z.string().describe("Of the stored file"),
  originalFilename: z.string().describe("As the client named it"),
  mediaType: z.enum(MEDIA_TYPES),
  contentType: z.string().describe("Found in the bytes, whatever the client said"),
  fileSize: z.number().int().describe("Bytes"),
  width: z.number().int().nullable().describe("Pixels, after orientation"),
  height: z.number().int().nullable().describe("Pixels, after orientation"),
  duration: z.number().nullable().describe("Seconds"),
  imageHash: z.string().nullable().describe("64-bit perceptual hash as 64 characters of 0 and 1"),
  storageType: z.enum(STORAGE_TYPES),
  bucketName: z.string().nullable(),
  originalUrl: z.string().describe("Signed, for 15 minutes, where the item is not public and approved"),
  thumbnailUrl: nullableUrl,
  smallUrl: nullableUrl,
  mediumUrl: nullableUrl,
  largeUrl: nullableUrl,
  videoProcessedUrl: nullableUrl,
  variants: z.array(
    z.object({
      name: z.string(),
      url: z.string(),
      width: z.number().int(),
      height: z.number().int(),
      contentType: z.string(),
      fileSize: z.number().int(),
    }),
  ),
  placeholder: z.string().nullable().describe("Thumbhash, base64"),
  dominantColor: z.string().nullable().describe("#rrggbb"),
  focalPoint: z
    .object({ x: z.number(), y: z.number() })
    .nullable()
    .describe("0 to 1 from the left and from the top: what a crop should keep"),
  entityType: z.enum(ENTITY_TYPE_NAMES),
  entityId: z.number().int(),
  entityPublicId: z.string(),
  entityField: z.enum(ENTITY_FIELDS),
  altText: z.string().nullable(),
  caption: z.string().nullable(),
  sortOrder: z.number().int().describe("Place in the gallery; items of one number are told apart by moves"),
  isPrimary: z.boolean().describe("The one that stands for its gallery"),
  sourceUrl: z.string().nullable(),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.unknown()).describe("EXIF and the like, without the position"),
  uploadedBy: z.string().nullable().describe("Public id of the uploader"),
  isPublic: z.boolean(),
  isApproved: z.boolean().describe("Whether the moderation status is approved"),
  moderationStatus: z.enum(MODERATION_STATUSES),
  processingStatus: z.enum(PROCESSING_STATUSES),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});
export type MediaOut = z.infer<typeof mediaOutSchema>;
