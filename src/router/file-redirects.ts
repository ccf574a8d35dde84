import { Hono } from "hono";
import { mediaNotFound, storageUnavailable } from "../media/errors.js";
import type { ServiceDeps } from "../media/ports.js";
import { onlyMade } from "../media/renditions.js";
import type { StoredFile } from "../media/stored-file.js";
import { publicAddressOf } from "../media/view.js";
import type { AppContext, AppEnv } from "./app-env.js";
import { findImage } from "./image-answer.js";
import { IMAGE_PATH } from "./image-path.js";
import { negotiate } from "./negotiate.js";
import { cacheControlOf, findRequestedFile, isKnown } from "./requested-file.js";
import type { FileAnswer } from "./send-file.js";

/** How long a bucket's address works that a private file is found at. It is asked for at once. */
const PRIVATE_SECONDS = 60;
/**
 * How long one works that a published file is found at, and how long the way to it may be kept: one that was made at
 * the end of its window and kept to the end still works.
 */
const PUBLIC_SECONDS = 15 * 60;
const KEPT_SECONDS = 5 * 60;

/** Makes addresses that read an object of the bucket. No request is made. */
export type Presigner = {
  presignGet(
    key: string,
    options: {
      method: "GET" | "HEAD";
      expiresInSeconds: number;
      signedAt: Date;
      contentType: string;
      cacheControl: string;
    },
  ): Promise<string>;
};

type Redirects = {
  deps: Pick<ServiceDeps, "database" | "signer" | "clock" | "urls">;
  bucket: Presigner;
  /** Base of a server that serves what is on its own disk; null where none is known. */
  serverUrl: string | null;
};

/**
 * The bytes of originals and variants, by telling where the bucket gives them: the same checks as where they are
 * served, then 302, or 304 to a client that has them from a server. A variant in the type its caller likes best where
 * that was made before. Nobody is sent to an address that outlives the one he came with.
 */
export function fileRedirects(redirects: Redirects): Hono<AppEnv> {
  const { deps, serverUrl } = redirects;
  return new Hono<AppEnv>().get("/files/*", async (c) => {
    const answer = await negotiate(onlyMade(deps), c, await findRequestedFile(deps, c));
    const { file, etag, cacheControl, varies } = answer;
    const vary: Record<string, string> = varies ? { Vary: "Accept" } : {};
    if (isKnown(c, etag)) return c.body(null, 304, { ETag: etag, "Cache-Control": cacheControl, ...vary });
    const location = await inBucketOr(redirects, c, file, () => onServer(serverUrl, new URL(c.req.url)));
    return c.body(null, 302, redirectTo(location, answer));
  });
}

/**
 * Pictures by size: where one was made before, it is in the bucket; else a server makes it, where one is known. It can't
 * be told who asks, so what is not everybody's is answered by the stored picture that comes nearest.
 */
export function imageRedirects(redirects: Redirects): Hono<AppEnv> {
  const { deps, serverUrl } = redirects;
  return new Hono<AppEnv>().get(IMAGE_PATH, async (c) => {
    const answer = await findImage({ deps, renditions: onlyMade(deps) }, c);
    const url = new URL(c.req.url);
    if (answer.isBrief && serverUrl !== null && answer.file.isPublic)
      return c.body(null, 302, redirectTo(onServer(serverUrl, url), answer));
    const location = await inBucketOr(redirects, c, answer.file, () => onServer(serverUrl, url));
    return c.body(null, 302, redirectTo(location, answer));
  });
}

function redirectTo(location: string, { file, cacheControl, varies, isBrief }: FileAnswer) {
  return {
    Location: location,
    // What is not made yet is looked for again soon.
    "Cache-Control": file.isPublic && !isBrief ? `public, max-age=${KEPT_SECONDS}` : cacheControl,
    ...(varies && { Vary: "Accept" }),
    "Cross-Origin-Resource-Policy": "cross-origin",
  };
}

const inBucketOr = (
  redirects: Redirects,
  c: AppContext,
  file: StoredFile,
  elsewhere: () => string,
): Promise<string> | string => (file.media.storageType === "s3" ? inBucket(redirects, c, file) : elsewhere());

async function inBucket({ deps, bucket }: Redirects, c: AppContext, file: StoredFile) {
  const { key, isPublic, media, contentType } = file;
  const address = isPublic ? publicAddressOf(deps.urls, media.storageType, key) : null;
  if (address) return address;
  const method = c.req.method === "HEAD" ? "HEAD" : "GET";
  const validity = validityOf(c, file, deps.clock.now());
  return bucket.presignGet(key, { method, contentType, cacheControl: cacheControlOf(file), ...validity });
}

/** Published files get equal addresses within a window, which a browser finds again in its cache. */
function validityOf(c: AppContext, { isPublic }: StoredFile, now: Date) {
  const seconds = Math.floor(now.getTime() / 1000);
  if (isPublic) {
    const signedAt = new Date((seconds - (seconds % KEPT_SECONDS)) * 1000);
    return { signedAt, expiresInSeconds: PUBLIC_SECONDS };
  }
  // Where there is a signature it was checked, so this is the time it works until.
  const expires = c.req.query("expires");
  const secondsLeft = expires === undefined ? PRIVATE_SECONDS : Number(expires) - seconds;
  if (secondsLeft < 1) throw mediaNotFound("file");
  return { signedAt: now, expiresInSeconds: Math.min(PRIVATE_SECONDS, secondsLeft) };
}

function onServer(serverUrl: string | null, { pathname, search }: URL): string {
  if (serverUrl === null) throw storageUnavailable(new Error("Only a server with that disk serves this file."));
  return `${serverUrl}${pathname}${search}`;
}
