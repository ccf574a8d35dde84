import { Hono } from "hono";
import { mediaNotFound, storageUnavailable } from "../media/errors.js";
import type { ServiceDeps } from "../media/ports.js";
import type { StoredFile } from "../media/stored-file.js";
import { publicAddressOf } from "../media/view.js";
import type { AppContext, AppEnv } from "./app-env.js";
import { cacheControlOf, etagOf, findRequestedFile, isKnown } from "./requested-file.js";

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
 * served, then 302, or 304 to a client that has them from a server. Nobody is sent to an address that outlives the one he came with.
 */
export function fileRedirects({ deps, bucket, serverUrl }: Redirects): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/files/*", async (c) => {
    const file = await findRequestedFile(deps, c);
    if (isKnown(c, etagOf(file)))
      return c.body(null, 304, { ETag: etagOf(file), "Cache-Control": cacheControlOf(file) });
    const location =
      file.media.storageType === "s3"
        ? await inBucket({ deps, bucket }, c, file)
        : onServer(serverUrl, new URL(c.req.url));
    return c.body(null, 302, {
      Location: location,
      "Cache-Control": file.isPublic ? `public, max-age=${KEPT_SECONDS}` : cacheControlOf(file),
      "Cross-Origin-Resource-Policy": "cross-origin",
    });
  });
}

async function inBucket({ deps, bucket }: Omit<Redirects, "serverUrl">, c: AppContext, file: StoredFile) {
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
  // The signature was checked, so this is the time it works until.
  const secondsLeft = Number(c.req.query("expires")) - seconds;
  if (secondsLeft < 1) throw mediaNotFound("file");
  return { signedAt: now, expiresInSeconds: Math.min(PRIVATE_SECONDS, secondsLeft) };
}

function onServer(serverUrl: string | null, { pathname, search }: URL): string {
  if (serverUrl === null) throw storageUnavailable(new Error("Only a server with that disk serves this file."));
  return `${serverUrl}${pathname}${search}`;
}
