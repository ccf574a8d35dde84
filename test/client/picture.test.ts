import sharp from "sharp";
import { rgbaToThumbHash } from "thumbhash";
import { describe, expect, it } from "vitest";
import { type MediaOut, placeholderDataUrl, srcset } from "../../client/index.js";
import { VARIANTS } from "../../src/media/variants.js";
import { MEDIA } from "./wire-answers.js";

const variant = (name: string, width: number, height: number): MediaOut["variants"][number] => ({
  name,
  url: `http://cdn/a_${name}.jpg`,
  width,
  height,
  contentType: "image/jpeg",
  fileSize: 1,
});
const PORTRAIT: MediaOut = {
  ...MEDIA,
  width: 1200,
  height: 2000,
  originalUrl: "http://cdn/a.jpg",
  variants: [variant("large", 960, 1600), variant("thumbnail", 150, 150), variant("small", 240, 400)],
};

describe("srcset", () => {
  it("lists the whole variants by width and falls back to the largest", () => {
    expect(srcset(PORTRAIT)).toEqual({
      src: "http://cdn/a_large.jpg",
      srcSet: "http://cdn/a_small.jpg 240w, http://cdn/a_large.jpg 960w",
      width: 1200,
      height: 2000,
    });
  });

  it("has sizes where they are given", () => {
    expect(srcset(PORTRAIT, { sizes: "50vw" }).sizes).toBe("50vw");
  });

  it("lists thumbnail and original where they are asked for", () => {
    expect(srcset(PORTRAIT, { thumbnail: true, original: true }).srcSet).toBe(
      "http://cdn/a_thumbnail.jpg 150w, http://cdn/a_small.jpg 240w, http://cdn/a_large.jpg 960w, http://cdn/a.jpg 1200w",
    );
  });

  it("keeps the thumbnail out by the name its variant has", () => {
    expect(VARIANTS.thumbnail.fit).toBe("cover");
    const whole = Object.entries(VARIANTS).filter(([name]) => name !== "thumbnail");
    expect(whole.map(([, { fit }]) => fit)).toEqual(whole.map(() => "inside"));
  });

  it("is the original alone for a picture too small for a whole variant", () => {
    const small = { ...PORTRAIT, width: 200, height: 180, variants: [variant("thumbnail", 150, 150)] };
    expect(srcset(small, { sizes: "50vw" })).toEqual({ src: "http://cdn/a.jpg", width: 200, height: 180 });
  });

  it("never offers a video as a picture", () => {
    const video: MediaOut = { ...PORTRAIT, mediaType: "VIDEO", variants: [], width: null, height: null };
    expect(srcset(video, { original: true })).toEqual({});
    const poster = { ...video, variants: [variant("thumbnail", 150, 150)] };
    expect(srcset(poster, { thumbnail: true }).src).toBe("http://cdn/a_thumbnail.jpg");
  });

  it("leaves the item as it is", () => {
    const before = structuredClone(PORTRAIT);
    srcset(PORTRAIT, { thumbnail: true, original: true });
    expect(PORTRAIT).toEqual(before);
  });
});

describe("placeholderDataUrl", () => {
  const pixelsOf = async (url: string | null) => {
    const [head = "", base64 = ""] = url?.split(",") ?? [];
    expect(head).toBe("data:image/png;base64");
    return sharp(Buffer.from(base64, "base64")).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  };

  it("shows the thumbhash", async () => {
    const rgba = Uint8Array.from({ length: 20 * 10 * 4 }, (_, at) => (at % 4 === 0 || at % 4 === 3 ? 255 : 0));
    const placeholder = Buffer.from(rgbaToThumbHash(20, 10, rgba)).toString("base64");
    const { data, info } = await pixelsOf(placeholderDataUrl({ placeholder, dominantColor: "#0000ff" }));
    expect(info.width).toBeGreaterThan(info.height);
    expect(data[0]).toBeGreaterThan(240);
    expect(Math.max(data[1]!, data[2]!)).toBeLessThan(15);
  });

  it("is one pixel of the dominant colour where there is none", async () => {
    const { data, info } = await pixelsOf(placeholderDataUrl({ placeholder: null, dominantColor: "#336699" }));
    expect([info.width, info.height, [...data]]).toEqual([1, 1, [0x33, 0x66, 0x99]]);
  });

  it("is null where nothing is known", () => {
    expect(placeholderDataUrl({ placeholder: null, dominantColor: null })).toBeNull();
  });
});
