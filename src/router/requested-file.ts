import type { ServiceDeps } from "../media/ports.js";
import { findFile, type StoredFile } from "../media/stored-file.js";
import type { AppContext } from "./app-env.js";
import { onlyValue } from "./query.js";

/** A key is written once, so what is public may be kept for ever; the rest must be asked for each time. */
export const cacheControlOf = ({ isPublic }: Pick<StoredFile, "isPublic">): string =>
  isPublic ? "public, max-age=31536000, immutable" : "private, no-store";

/** Keys are written once: the last segment names these bytes and no others. */
export const etagOf = ({ media, fileSize, contentType }: StoredFile): string =>
  `"${media.publicId}-${contentType.slice(contentType.indexOf("/") + 1)}-${fileSize.toString(36)}"`;

/** The file a request below `/files/` is about, if whoever sent it may see it. Throws MEDIA_NOT_FOUND. */
export const findRequestedFile = (deps: Pick<ServiceDeps, "database" | "signer" | "clock">, c: AppContext) =>
  findFile(deps, keyInPath(c), { expires: onlyValue(c, "expires"), signature: onlyValue(c, "signature") });

/** The key as the client escaped it; one that cannot be unescaped names nothing. */
function keyInPath(c: AppContext): string {
  const escaped = new URL(c.req.url).pathname.slice("/files/".length);
  try {
    return decodeURIComponent(escaped);
  } catch {
    return "";
  }
}

/** What the client holds is what bears this tag. */
export function isKnown(c: AppContext, etag: string): boolean {
  const known = c.req.header("if-none-match");
  if (known === undefined) return false;
  return known.trim() === "*" || known.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}
