import type { MediaOut } from "../../client/index.js";
import type { MediaFailure } from "../../src/media/errors.js";
import { toProblem } from "../../src/router/error-response.js";

/** An item as the server writes it. */
export const MEDIA: MediaOut = {
  id: 7,
  publicId: "MED-7",
  filename: "photo-20261122-abc.jpg",
  originalFilename: "Haus am Hügel.jpg",
  mediaType: "IMAGE",
  contentType: "image/jpeg",
  fileSize: 1234,
  width: 800,
  height: 600,
  duration: null,
  imageHash: "01".repeat(32),
  storageType: "local",
  bucketName: null,
  originalUrl: "http://localhost/files/a.jpg",
  thumbnailUrl: "http://localhost/files/a_thumb.jpg",
  smallUrl: null,
  mediumUrl: null,
  largeUrl: null,
  videoProcessedUrl: null,
  variants: [],
  placeholder: null,
  dominantColor: "#336699",
  focalPoint: null,
  entityType: "property",
  entityId: 1,
  entityPublicId: "PRP-1",
  entityField: "gallery",
  altText: null,
  caption: null,
  sortOrder: 0,
  isPrimary: false,
  sourceUrl: null,
  tags: [],
  metadata: {},
  uploadedBy: "USR-1",
  isPublic: true,
  isApproved: true,
  moderationStatus: "approved",
  processingStatus: "ready",
  createdAt: "2026-11-22T10:00:00.000Z",
  updatedAt: "2026-11-22T10:00:00.000Z",
};

/** The server's own answer to a failure. */
export function problem(failure: MediaFailure, headers: Record<string, string> = {}): Response {
  const body = toProblem(failure, "req-1");
  return Response.json(body, {
    status: body.status,
    headers: { "Content-Type": "application/problem+json", ...headers },
  });
}
