import { TRPCError } from "@trpc/server";
import { z } from "zod";
import { MediaError, type MediaErrorCode, type MediaFailure } from "../media/errors.js";
import { toValidationIssues } from "../media/upload-fields.js";

type Mapping = { status: number; trpc: TRPCError["code"]; title: string };

/** The one place that knows statuses. The contract gives the HTTP status of each code. */
export const ERROR_MAP = {
  UNSUPPORTED_TYPE: { status: 400, trpc: "BAD_REQUEST", title: "Type not accepted" },
  FILE_TOO_LARGE: { status: 400, trpc: "BAD_REQUEST", title: "File too large" },
  FILE_TOO_SMALL: { status: 400, trpc: "BAD_REQUEST", title: "File too small" },
  BAD_DIMENSIONS: { status: 400, trpc: "BAD_REQUEST", title: "Dimensions out of range" },
  TOO_MANY_PIXELS: { status: 400, trpc: "BAD_REQUEST", title: "Too many pixels" },
  CORRUPT_FILE: { status: 400, trpc: "BAD_REQUEST", title: "Damaged file" },
  EMPTY_FILE: { status: 400, trpc: "BAD_REQUEST", title: "Empty file" },
  MISSING_FILE: { status: 400, trpc: "BAD_REQUEST", title: "No file" },
  TOO_MANY_FILES: { status: 400, trpc: "BAD_REQUEST", title: "Too many files" },
  MALFORMED_MULTIPART: { status: 400, trpc: "BAD_REQUEST", title: "Malformed multipart body" },
  VALIDATION: { status: 400, trpc: "BAD_REQUEST", title: "Invalid input" },
  UNAUTHENTICATED: { status: 401, trpc: "UNAUTHORIZED", title: "Not signed in" },
  FORBIDDEN: { status: 403, trpc: "FORBIDDEN", title: "Missing right" },
  NOT_FOUND: { status: 404, trpc: "NOT_FOUND", title: "Not found" },
  ENTITY_NOT_FOUND: { status: 404, trpc: "NOT_FOUND", title: "No such entity" },
  MEDIA_NOT_FOUND: { status: 404, trpc: "NOT_FOUND", title: "No such media" },
  METHOD_NOT_ALLOWED: { status: 405, trpc: "METHOD_NOT_SUPPORTED", title: "Method not allowed" },
  REQUEST_TIMEOUT: { status: 408, trpc: "TIMEOUT", title: "Request timed out" },
  DUPLICATE: { status: 409, trpc: "CONFLICT", title: "Duplicate" },
  CONFLICT: { status: 409, trpc: "CONFLICT", title: "Conflict" },
  UPLOAD_ELSEWHERE: { status: 421, trpc: "PRECONDITION_FAILED", title: "Uploads are taken elsewhere" },
  IDEMPOTENCY_MISMATCH: { status: 422, trpc: "UNPROCESSABLE_CONTENT", title: "Idempotency key reused" },
  RATE_LIMITED: { status: 429, trpc: "TOO_MANY_REQUESTS", title: "Too many requests" },
  PROCESSING_FAILED: { status: 500, trpc: "INTERNAL_SERVER_ERROR", title: "Processing failed" },
  INTERNAL: { status: 500, trpc: "INTERNAL_SERVER_ERROR", title: "Internal error" },
  STORAGE_UNAVAILABLE: { status: 503, trpc: "SERVICE_UNAVAILABLE", title: "Storage unavailable" },
  DATABASE_UNAVAILABLE: { status: 503, trpc: "SERVICE_UNAVAILABLE", title: "Database unavailable" },
  OVERLOADED: { status: 503, trpc: "SERVICE_UNAVAILABLE", title: "Server busy" },
} as const satisfies Record<MediaErrorCode, Mapping>;

/** What any thrown value means to a client; what nobody foresaw is INTERNAL. */
export function toFailure(error: unknown): MediaFailure {
  if (error instanceof MediaError) return error.failure;
  if (error instanceof z.ZodError) return { code: "VALIDATION", issues: toValidationIssues(error) };
  if (error instanceof TRPCError) return fromTrpcError(error);
  return { code: "INTERNAL" };
}

function fromTrpcError(error: TRPCError): MediaFailure {
  if (error.cause instanceof MediaError) return error.cause.failure;
  // Zod's findings are the caller's fault in an input only; in an output they are ours.
  if (error.code === "BAD_REQUEST" && error.cause instanceof z.ZodError) return toFailure(error.cause);
  switch (error.code) {
    case "NOT_FOUND":
      return { code: "NOT_FOUND", what: "such procedure" };
    case "METHOD_NOT_SUPPORTED":
      return { code: "METHOD_NOT_ALLOWED", allowed: ["the other of GET and POST"] };
    case "PARSE_ERROR":
    case "BAD_REQUEST":
    case "UNSUPPORTED_MEDIA_TYPE":
      return { code: "VALIDATION", issues: [{ path: "", message: "The input is not valid JSON for this call." }] };
    default:
      return { code: "INTERNAL" };
  }
}

/** The same failure as tRPC throws it, so that its HTTP status is right; the cause is kept for the formatter. */
export function toTrpcError(error: MediaError): TRPCError {
  return new TRPCError({ code: ERROR_MAP[error.failure.code].trpc, message: error.message, cause: error });
}
