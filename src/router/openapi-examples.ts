import type { MediaOut } from "../media/model.js";

const KEY = "http://localhost:3000/files/properties/photos/PRP-1/2026-05/photo-20260504030201-9f2c41d07be85a36";

const variant = (name: string, width: number, height: number, fileSize: number) => ({
  name,
  url: `${KEY}_${name === "thumbnail" ? "thumb" : name}.jpg`,
  width,
  height,
  contentType: "image/jpeg",
  fileSize,
});

const PHOTO: MediaOut = {
  id: 42,
  publicId: "MED-7K2M9QX4TRWD",
  filename: "photo-20260504030201-9f2c41d07be85a36.jpg",
  originalFilename: "garden.jpg",
  mediaType: "IMAGE",
  contentType: "image/jpeg",
  fileSize: 812_345,
  width: 1200,
  height: 900,
  duration: null,
  imageHash: "1100101001110100101101000101101011001011010010110100101101001011",
  storageType: "local",
  bucketName: null,
  originalUrl: `${KEY}.jpg`,
  thumbnailUrl: `${KEY}_thumb.jpg`,
  smallUrl: `${KEY}_small.jpg`,
  mediumUrl: `${KEY}_medium.jpg`,
  largeUrl: null,
  videoProcessedUrl: null,
  variants: [
    variant("thumbnail", 150, 150, 6120),
    variant("small", 400, 300, 24_310),
    variant("medium", 800, 600, 81_200),
  ],
  placeholder: "3OcRJYB4d3h/iIeHeEh3eIhw+j2w",
  dominantColor: "#5a7d4f",
  focalPoint: { x: 0.5, y: 0.4 },
  entityType: "property",
  entityId: 7,
  entityPublicId: "PRP-1",
  entityField: "gallery",
  altText: "The garden in May",
  caption: null,
  sortOrder: 0,
  isPrimary: true,
  sourceUrl: null,
  tags: ["garden", "outside"],
  metadata: { exif: { make: "Canon", model: "EOS R6" } },
  uploadedBy: "USR-1",
  isPublic: true,
  isApproved: true,
  moderationStatus: "approved",
  processingStatus: "ready",
  createdAt: "2026-05-04T03:02:01.000Z",
  updatedAt: "2026-05-04T03:02:01.000Z",
};

const SESSION = { token: "k3v9…", expiresAt: "2026-06-03T03:02:01.000Z" };
const MODERATED: MediaOut = { ...PHOTO, moderationStatus: "flagged", isApproved: false };
const USER = {
  id: 3,
  publicId: "USR-1",
  email: "ada@example.org",
  role: "user",
  verified: true,
  createdAt: "2026-05-01T08:00:00.000Z",
};
const ENTITY = {
  id: 7,
  type: "property",
  publicId: "PRP-1",
  name: "House on the hill",
  ownerId: null,
  parentId: "BLD-1",
  adminIds: [],
  createdAt: "2026-05-01T08:00:00.000Z",
  updatedAt: "2026-05-01T08:00:00.000Z",
};

export const UPLOAD_EXAMPLE = {
  media: PHOTO,
  message: "The picture was stored.",
  duplicates: [{ publicId: "MED-5XQ2N8RT4KWZ", distance: 3, tier: "same" }],
};

export const BATCH_EXAMPLE = {
  uploaded: [PHOTO],
  uploadedCount: 1,
  failed: [
    {
      index: 1,
      filename: "notes.txt",
      code: "UNSUPPORTED_TYPE",
      message: "The file is text/plain, which is not accepted here. Accepted: image/jpeg, image/png.",
      retryable: false,
    },
  ],
  failedCount: 1,
  message: "1 of 2 files were stored.",
};

const DIRECT_UPLOAD = { uploadId: "UPL-0K7Z2M4QX9TRWDB3", expiresAt: "2026-05-04T04:02:01.000Z" };

type Example = { body?: Readonly<Record<string, unknown>>; answer?: object };

/**
 * By operation: what to send and what comes back. Each fits its schema, which a test proves. Where a bare array may
 * stand for the body, its example follows from the body's.
 */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  media_list: { answer: { items: [PHOTO], total: 1, nextCursor: null } },
  media_get: { answer: PHOTO },
  media_getByPublicId: { answer: PHOTO },
  media_search: { answer: { items: [PHOTO], nextCursor: null } },
  media_duplicates: { answer: { items: UPLOAD_EXAMPLE.duplicates } },
  media_duplicatesOfEntity: {
    answer: { items: [{ tier: "same", distance: 3, count: 2, media: [PHOTO, PHOTO] }], nextCursor: null },
  },
  media_update: { body: { altText: "The garden in May", tags: ["garden", "outside"], caption: null }, answer: PHOTO },
  media_reorder: { body: { field: "gallery", mediaIds: [42, "MED-5XQ2N8RT4KWZ"] }, answer: { items: [PHOTO] } },
  media_move: { body: { before: "MED-5XQ2N8RT4KWZ" }, answer: PHOTO },
  media_delete: { answer: { message: "The item is in the trash.", deletedId: 42 } },
  media_batchDelete: {
    body: { mediaIds: [42, 404] },
    answer: {
      deleted: [42],
      deletedCount: 1,
      failed: [{ id: 404, code: "MEDIA_NOT_FOUND", message: 'There is no media item "404".' }],
      failedCount: 1,
      message: "1 of 2 items are in the trash.",
    },
  },
  moderation_batchApprove: {
    body: { mediaIds: [42, "MED-5XQ2N8RT4KWZ"] },
    answer: {
      approved: [42],
      approvedCount: 1,
      failed: [
        {
          id: "MED-5XQ2N8RT4KWZ",
          code: "CONFLICT",
          message: "An item that is approved cannot become approved, only flagged.",
        },
      ],
      failedCount: 1,
      message: "1 of 2 items were approved.",
    },
  },
  uploads_createDirect: {
    body: {
      entityType: "property",
      entityId: "PRP-1",
      field: "gallery",
      filename: "garden.jpg",
      contentType: "image/jpeg",
      fileSize: 812_345,
      altText: "The garden in May",
    },
    answer: {
      ...DIRECT_UPLOAD,
      method: "PUT",
      url: "https://media.s3.example.org/incoming/2026-05/9f2c41d07be85a36?X-Amz-Signature=…",
      headers: { "content-type": "image/jpeg", "if-none-match": "*" },
    },
  },
  uploads_complete: { answer: UPLOAD_EXAMPLE },
  uploads_status: {
    answer: { ...DIRECT_UPLOAD, state: "ready", receivedBytes: 812_345, failure: null, media: PHOTO },
  },
  moderation_queue: { answer: { items: [MODERATED], nextCursor: null } },
  moderation_decide: { body: { decision: "flag", reason: "Shows a number plate" }, answer: MODERATED },
  auth_login: { body: { email: "ada@example.org", password: "correct horse" }, answer: { ...SESSION, user: USER } },
  auth_createSession: { body: { userId: "USR-1" }, answer: SESSION },
  users_upsert: { body: { email: "ada@example.org", role: "user", verified: true }, answer: USER },
  entities_upsert: { body: { parentId: "BLD-1", name: "House on the hill" }, answer: ENTITY },
  entities_get: { answer: ENTITY },
  permissions_check: {
    answer: { allowed: false, right: "upload", reason: "it is held by the owner of the parent builder" },
  },
};
