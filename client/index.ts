import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, type TRPCClient } from "@trpc/client";
import type { AppRouter } from "../src/procedures/public-router.js";
import { FetchEventSource, type OpenStream } from "./event-source.js";
import { failureOf } from "./failures.js";
import type { MediaPlace, UploadPlace } from "./place.js";
import { pause } from "./retry.js";
import {
  type BatchAnswer,
  type BatchOptions,
  type UploadAnswer,
  type UploadConnection,
  type UploadOptions,
  upload,
  uploadBatch,
} from "./upload.js";
import type { UploadFile } from "./upload-file.js";

export type MediaClientOptions = {
  /** Where the server is, without `/v1` or `/trpc`; a path before them is kept. */
  baseUrl: string;
  /** Where uploads go, if not there: beside a server on the edge, which takes none, the one that does. */
  uploadBaseUrl?: string | undefined;
  /** Bearer token, or where to get it for each request; none is sent when it is empty. */
  token?: string | (() => string | Promise<string>) | undefined;
  /** Whether cookies go along, as `fetch` understands it. */
  credentials?: RequestCredentials | undefined;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** How often an upload is tried again after a failure that may pass; 4 if absent, 0 for never. */
  retries?: number | undefined;
};

export type MediaClient = {
  /** Every procedure of the server. Calls reject with tRPC's error; `toMediaClientError` reads it. */
  api: TRPCClient<AppRouter>;
  /** One file to one place. Throws `MediaClientError`. */
  upload(place: UploadPlace, file: UploadFile, options?: UploadOptions): Promise<UploadAnswer>;
  /** Many files to one place, each with its own result. Throws `MediaClientError` where the whole was refused. */
  uploadBatch(place: MediaPlace, files: readonly UploadFile[], options?: BatchOptions): Promise<BatchAnswer>;
};

/** Common servers and proxies refuse addresses above 8 KB; a batch of queries beyond that is split. Characters. */
const MAX_URL_LENGTH = 7000;

/** With the waiting between them, an outage of four to eight seconds is bridged. */
const RETRIES = 4;

export function createMediaClient(options: MediaClientOptions): MediaClient {
  const connection = connect(options);
  return {
    api: createApi(connection),
    upload: (place, file, uploadOptions) => upload(connection, place, file, uploadOptions),
    uploadBatch: (place, files, batchOptions) => uploadBatch(connection, place, files, batchOptions),
  };
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, "");

function connect(options: MediaClientOptions): UploadConnection {
  const { baseUrl, uploadBaseUrl = baseUrl, token, credentials, fetch, retries = RETRIES } = options;
  return {
    baseUrl: withoutSlash(baseUrl),
    uploadBaseUrl: withoutSlash(uploadBaseUrl),
    authorize: async () => {
      const value = typeof token === "function" ? await token() : token;
      return value ? { Authorization: `Bearer ${value}` } : {};
    },
    credentials,
    fetch: fetch ?? ((...request) => globalThis.fetch(...request)),
    retries,
    random: Math.random,
    pause,
  };
}

/** The proxy is handed on as it is: spread into another object it would lose its names, and still compile. */
function createApi({ baseUrl, authorize, credentials, fetch }: UploadConnection): TRPCClient<AppRouter> {
  const link = httpBatchLink<AppRouter>({
    url: `${baseUrl}/trpc`,
    headers: authorize,
    maxURLLength: MAX_URL_LENGTH,
    fetch: async (url, init) => {
      const response = await fetch(url, { ...(init as RequestInit), ...(credentials ? { credentials } : {}) });
      return requireJson(response);
    },
  });
  const open: OpenStream = async (url, lastEventId, signal) => {
    const resuming: Record<string, string> = lastEventId ? { "Last-Event-ID": lastEventId } : {};
    const headers = { Accept: "text/event-stream", ...(await authorize()), ...resuming };
    return fetch(url, { headers, signal, ...(credentials ? { credentials } : {}) });
  };
  const stream = httpSubscriptionLink<AppRouter, typeof FetchEventSource>({
    url: `${baseUrl}/trpc`,
    EventSource: FetchEventSource,
    eventSourceOptions: { open },
  });
  const isStream = ({ type }: { type: string }) => type === "subscription";
  return createTRPCClient<AppRouter>({ links: [splitLink({ condition: isStream, true: stream, false: link })] });
}

/** Of a proxy's page tRPC would tell a syntax error alone, its status lost. */
function requireJson(response: Response): Response {
  if (/\bjson\b/i.test(response.headers.get("content-type") ?? "")) return response;
  const { status, headers } = response;
  throw failureOf({ status, header: (name) => headers.get(name), body: undefined });
}

export type { DuplicateTier, MediaErrorCode, MediaFailure, ValidationIssue } from "../src/media/errors.js";
// biome-ignore lint/performance/noBarrelFile: a package has one entry, and this is it
export {
  IMAGE_CROP_NAMES,
  IMAGE_FORMAT_NAMES,
  IMAGE_WIDTHS,
  type ImageCrop,
  type ImageFormat,
  type ImageWidth,
} from "../src/media/image-sizes.js";
export type { AppRouter } from "../src/procedures/public-router.js";
export { type ClientFailure, MediaClientError, type MediaProblem, toMediaClientError } from "./failures.js";
export { type ImageOptions, type ImageSrcsetOptions, imageSrcset, imageUrl } from "./image.js";
export type { MediaOut } from "./media-out.js";
export { type Picture, placeholderDataUrl, type SrcsetOptions, srcset } from "./picture.js";
export type { EntityRef, MediaPlace, UploadPlace } from "./place.js";
export type { RetryNotice } from "./retry.js";
export type { UploadProgress } from "./send-form.js";
export type {
  BatchAnswer,
  BatchOptions,
  RequestOptions,
  UploadAnswer,
  UploadFields,
  UploadOptions,
} from "./upload.js";
export type { NativeFile, UploadFile } from "./upload-file.js";
