import { IMAGE_CROP_NAMES, IMAGE_FORMAT_NAMES, IMAGE_WIDTHS } from "../media/image-sizes.js";
import { RENDITION_TYPES } from "../media/rendition-ports.js";
import { IMAGE_PATH } from "./image-path.js";
import { FAILURES } from "./openapi-failures.js";
import type { Paths } from "./openapi-parts.js";

const inQuery = (name: string, description: string, schema: object, required = false) => ({
  name,
  in: "query",
  required,
  description,
  schema,
});

const IMAGE = {
  operationId: "media_image",
  tags: ["media"],
  summary: "A picture by width, crop and type, made when it is first asked for; of an animation the first frame",
  parameters: [
    { name: "publicId", in: "path", required: true, schema: { type: "string" } },
    inQuery(
      "w",
      "Pixels; never enlarged: a smaller picture keeps its own",
      { type: "integer", enum: IMAGE_WIDTHS },
      true,
    ),
    inQuery("format", "auto: what Accept names itself, AVIF before WebP before JPEG", {
      type: "string",
      enum: IMAGE_FORMAT_NAMES,
      default: "auto",
    }),
    inQuery("crop", "Width to height, around the focal point or what catches the eye", {
      type: "string",
      enum: IMAGE_CROP_NAMES,
    }),
  ],
  responses: {
    200: {
      description:
        "The picture. Where it cannot be made now, the stored one that comes nearest, to be kept for a minute",
      content: Object.fromEntries(RENDITION_TYPES.map((type) => [type, { schema: {} }])),
    },
    304: { description: "The caller has it" },
    ...FAILURES,
  },
};

export const IMAGE_PATHS: Paths = { [IMAGE_PATH.replace(":publicId", "{publicId}")]: { get: IMAGE } };
