import { isPublished } from "../media/access.js";
import { mediaNotFound } from "../media/errors.js";
import { findPicture, nearestStored, variantAsOrdered, variantFile } from "../media/image.js";
import type { Media } from "../media/model.js";
import type { ServiceDeps } from "../media/ports.js";
import { orderOfSize, type RenditionOrder } from "../media/rendition-order.js";
import type { Rendition } from "../media/rendition-ports.js";
import type { Renditions } from "../media/renditions.js";
import type { AppContext } from "./app-env.js";
import { type ImageQuery, readImageQuery, wantedTypes } from "./image-query.js";
import { asRendition, briefly } from "./negotiate.js";
import { answerWith, type FileAnswer } from "./send-file.js";

type ImageDeps = { deps: Pick<ServiceDeps, "database" | "clock">; renditions: Pick<Renditions, "get"> };

/**
 * The picture at the size, crop and type a request asks for; briefly the stored one that comes nearest. Throws VALIDATION, MEDIA_NOT_FOUND, UNSUPPORTED_TYPE.
 */
export async function findImage({ deps, renditions }: ImageDeps, c: AppContext): Promise<FileAnswer> {
  const query = readImageQuery(c);
  const media = await findPicture(deps, c.get("actor"), c.req.param("publicId") ?? "");
  const varies = query.format === "auto";
  const instead = briefly({ ...answerWith(nearestStored(media, query.width)), varies });
  const made = await findMade(renditions, media, { query, types: wantedTypes(c, media, query) });
  if (!made) return instead;
  return { ...made, varies, cacheControl: cacheControlOf(c, media), instead };
}

/** The first type that is to be had; null where none is. */
async function findMade(
  renditions: Pick<Renditions, "get">,
  media: Media,
  { query, types }: { query: ImageQuery; types: ReturnType<typeof wantedTypes> },
): Promise<Pick<FileAnswer, "file" | "etag"> | null> {
  for (const type of types) {
    const order = orderOfSize(media, query, type);
    if (!order) throw mediaNotFound(media.publicId);
    const stored = variantAsOrdered(media, order);
    if (stored) return answerWith(variantFile(media, stored));
    const outcome = await renditions.get(order);
    if (outcome.state === "made")
      return { file: asRendition(nearestStored(media, 0), outcome.rendition), etag: tagOf(order, outcome.rendition) };
    // The others would fare no better, and take as long.
    if (outcome.state === "unavailable") return null;
  }
  return null;
}

/** What is made again, after its focal point changed, has another random part at the end of its key. */
const tagOf = ({ media, spec }: RenditionOrder, { key }: Rendition): string =>
  `"${media.publicId}-${spec}-${/([a-z0-9]+)\.\w+$/.exec(key)?.[1] ?? ""}"`;

/**
 * The address stays when the picture is cropped anew or taken down, so it is kept for minutes. An answer that sets a
 * cookie is for its caller alone.
 */
function cacheControlOf(c: AppContext, media: Media): string {
  if (!isPublished(media)) return "private, no-store";
  const audience = c.res.headers.has("set-cookie") ? "private" : "public";
  return `${audience}, max-age=600, stale-while-revalidate=3600`;
}
