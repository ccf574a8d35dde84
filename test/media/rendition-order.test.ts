import { describe, expect, it } from "vitest";
import { IMAGE_CROP_NAMES, IMAGE_CROPS, IMAGE_WIDTHS } from "../../src/media/image-sizes.js";
import type { Media, Variant } from "../../src/media/model.js";
import { isOwnKey, renditionKey } from "../../src/media/object-key.js";
import { isCropSpec, orderOfSize, orderOfVariant, sizeOfImage } from "../../src/media/rendition-order.js";
import { RENDITION_TYPES } from "../../src/media/rendition-ports.js";
import { VARIANT_NAMES } from "../../src/media/variants.js";
import { newMedia, variant } from "../support/media-rows.js";

const BLD = { type: "builder", id: 1, publicId: "BLD-1" } as const;
const ORIGINAL = "builders/photos/BLD-1/2026-11/gallery-20261122090807-0123456789abcdef.jpg";
const wide = (name: Variant["name"], width: number, height: number): Variant => ({
  ...variant(name, 1, name),
  width,
  height,
});
const item = (over: Partial<Media> = {}): Media => ({
  ...newMedia(BLD, { width: 3000, height: 2000, storagePath: "original", focalPoint: { x: 0.1, y: 0.2 } }),
  variants: [wide("thumbnail", 150, 150), wide("small", 400, 267), wide("medium", 800, 533), wide("large", 1600, 1067)],
  id: 7,
  deletedAt: null,
  missingSince: null,
  ...over,
});

describe("the size of an image", () => {
  const picture = { width: 3000, height: 2000 };

  it.each([
    [picture, { width: 640, crop: null }, { width: 640, height: 427 }],
    [picture, { width: 640, crop: "1:1" }, { width: 640, height: 640 }],
    [picture, { width: 640, crop: "16:9" }, { width: 640, height: 360 }],
    [picture, { width: 640, crop: "9:16" }, { width: 640, height: 1138 }],
    // As wide as the picture, or its crop, is.
    [
      { width: 500, height: 300 },
      { width: 640, crop: null },
      { width: 500, height: 300 },
    ],
    [
      { width: 500, height: 300 },
      { width: 480, crop: "1:1" },
      { width: 300, height: 300 },
    ],
    [
      { width: 101, height: 57 },
      { width: 160, crop: "16:9" },
      { width: 101, height: 57 },
    ],
    [
      { width: 1, height: 1 },
      { width: 160, crop: "2:3" },
      { width: 1, height: 1 },
    ],
    // Strips: at least a pixel, at most 5120.
    [
      { width: 10_000, height: 2 },
      { width: 160, crop: null },
      { width: 160, height: 1 },
    ],
    [
      { width: 500, height: 16_000 },
      { width: 480, crop: null },
      { width: 160, height: 5120 },
    ],
  ] as const)("%j at %j is %j", (whole, wanted, size) => {
    expect(sizeOfImage(whole, wanted)).toEqual(size);
  });

  const PICTURES = [picture, { width: 333, height: 1777 }, { width: 51, height: 50 }];
  const EVERY_SIZE = IMAGE_WIDTHS.flatMap((width) => [null, ...IMAGE_CROP_NAMES].map((crop) => ({ width, crop })));

  it.each(PICTURES)("never exceeds %j, and has the proportions of the crop", (whole) => {
    for (const wanted of EVERY_SIZE) {
      const { width, height } = sizeOfImage(whole, wanted);
      const name = JSON.stringify(wanted);
      expect(width <= Math.min(whole.width, wanted.width) && height <= whole.height, name).toBe(true);
      const { width: w, height: h } = wanted.crop ? IMAGE_CROPS[wanted.crop] : whole;
      // Half a pixel of each side, turned to heights.
      expect(Math.abs((width * h) / w - height), name).toBeLessThanOrEqual(0.5 + (0.5 * h) / w);
    }
  });
});

describe("an order by size", () => {
  const order = (width: (typeof IMAGE_WIDTHS)[number], crop: (typeof IMAGE_CROP_NAMES)[number] | null = null) =>
    orderOfSize(item(), { width, crop }, "image/webp");

  it("is made of the smallest stored picture that is large enough, never of the square one", () => {
    const sources = ([160, 480, 800, 960, 1600, 1920] as const).map((width) => order(width)?.source.key);
    expect(sources).toEqual(["small", "medium", "medium", "large", "large", "original"]);
    // Of 400 x 267 a square of 320 would have to be enlarged.
    expect([order(160, "1:1")?.source.key, order(320, "1:1")?.source.key]).toEqual(["small", "medium"]);
  });

  it("says in its spec what it is, and holds the focal point where it crops", () => {
    expect(order(640)).toMatchObject({ spec: "w640.webp", isCropped: false, focalPoint: null, maxBytes: null });
    expect(order(640, "16:9")).toMatchObject({
      spec: "w640-16x9.webp",
      isCropped: true,
      focalPoint: { x: 0.1, y: 0.2 },
    });
    expect(orderOfSize(item({ width: 500, height: 300 }), { width: 2560, crop: null }, "image/avif")?.spec).toBe(
      "w500.avif",
    );
    expect(orderOfSize(item({ width: null }), { width: 640, crop: null }, "image/avif")).toBeNull();
  });

  it("has a key that is known as one of this system's, whatever it is", () => {
    for (const type of RENDITION_TYPES) {
      const specs = [
        ...VARIANT_NAMES.map((name) => orderOfVariant(item(), variant(name, 100), type).spec),
        ...IMAGE_WIDTHS.flatMap((width) =>
          [null, ...IMAGE_CROP_NAMES].map((crop) => orderOfSize(item(), { width, crop }, type)?.spec ?? ""),
        ),
      ];
      const keys = specs.map((spec) => renditionKey(ORIGINAL, spec, "fedcba9876543210"));
      expect(keys.filter((key) => !isOwnKey(key))).toEqual([]);
      expect(specs.filter(isCropSpec)).toHaveLength(IMAGE_WIDTHS.length * IMAGE_CROP_NAMES.length);
    }
    expect(isOwnKey(ORIGINAL.replace(".jpg", "_w640.jpg"))).toBe(false);
    expect(isOwnKey(ORIGINAL.replace(".jpg", "_w640-1x1-0123.jpg"))).toBe(false);
  });
});
