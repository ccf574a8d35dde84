import { z } from "zod";
import { MediaError, validationFailed } from "../media/errors.js";
import { commonTypeOf } from "../media/image.js";
import {
  IMAGE_CROP_NAMES,
  IMAGE_FORMAT_NAMES,
  IMAGE_FORMATS,
  IMAGE_WIDTHS,
  type ImageCrop,
  type ImageFormat,
} from "../media/image-sizes.js";
import type { Media } from "../media/model.js";
import type { SizedImage } from "../media/rendition-order.js";
import type { RenditionType } from "../media/rendition-ports.js";
import { preferredTypes } from "./accept.js";
import type { AppContext } from "./app-env.js";

export type ImageQuery = SizedImage & { format: ImageFormat };

const querySchema = z.strictObject({
  w: z.string().transform(toWidth),
  format: z.enum(IMAGE_FORMAT_NAMES as [ImageFormat]).default("auto"),
  crop: z
    .enum(IMAGE_CROP_NAMES as [ImageCrop])
    .nullable()
    .default(null),
});

function toWidth(text: string) {
  const width = IMAGE_WIDTHS.find((listed) => String(listed) === text);
  if (width === undefined) throw validationFailed("w", `must be one of ${IMAGE_WIDTHS.join(", ")}`);
  return width;
}

/** Throws VALIDATION for whatever is not listed: each address is something that may have to be made. */
export function readImageQuery(c: AppContext): ImageQuery {
  const entries = Object.entries(c.req.queries()).map(([name, values]) => {
    if (values.length > 1) throw validationFailed(name, "is given more than once");
    return [name, values[0]] as const;
  });
  const { data, error } = querySchema.safeParse(Object.fromEntries(entries));
  if (data) return { width: data.w, format: data.format, crop: data.crop };
  const issues = error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new MediaError({ code: "VALIDATION", issues });
}

/** What to answer with, best first: the type that is asked for, or those the caller likes. */
export function wantedTypes(c: AppContext, media: Media, { format }: ImageQuery): RenditionType[] {
  const type = IMAGE_FORMATS[format];
  if (type !== null) return [type];
  const common = commonTypeOf(media);
  const preferred = preferredTypes(c.req.header("accept"), common);
  return common === "image/jpeg" ? preferred : preferred.filter((liked) => liked !== "image/jpeg");
}
