import type { Variant } from "../media/model.js";
import { orderOfVariant } from "../media/rendition-order.js";
import type { Rendition } from "../media/rendition-ports.js";
import type { Renditions } from "../media/renditions.js";
import type { StoredFile } from "../media/stored-file.js";
import { preferredTypes } from "./accept.js";
import type { AppContext } from "./app-env.js";
import { answerWith, type FileAnswer } from "./send-file.js";

/** What a stored picture is negotiated from: renditions that replace it are asked for by its key. */
const STORED = "image/jpeg";

/** The variant that answers may replace; undefined where the key is an original's, a video's or another type's. */
const negotiableVariant = ({ key, contentType, media }: StoredFile): Variant | undefined =>
  contentType === STORED ? media.variants.find((variant) => variant.key === key) : undefined;

/** The file in the type its caller likes best, as far as that can be had now and is worth it; else as it is stored. */
export async function negotiate(
  renditions: Pick<Renditions, "get">,
  c: AppContext,
  file: StoredFile,
): Promise<FileAnswer> {
  const variant = negotiableVariant(file);
  if (!variant) return answerWith(file);
  const stored = { ...answerWith(file), varies: true };
  for (const type of preferredTypes(c.req.header("accept"), STORED)) {
    if (type === STORED) break;
    const outcome = await renditions.get(orderOfVariant(file.media, variant, type));
    if (outcome.state === "made")
      return { ...answerWith(asRendition(file, outcome.rendition)), varies: true, instead: briefly(stored) };
    if (outcome.state === "unavailable") return briefly(stored);
  }
  return stored;
}

export const asRendition = (file: StoredFile, { key, contentType, fileSize }: Rendition): StoredFile => ({
  ...file,
  key,
  contentType,
  fileSize,
});

/** Kept no longer than it may take until the better one is there. */
export const briefly = (answer: FileAnswer): FileAnswer => ({
  ...answer,
  isBrief: true,
  cacheControl: answer.file.isPublic ? "public, max-age=60" : answer.cacheControl,
});
