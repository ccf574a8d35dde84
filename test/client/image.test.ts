import { describe, expect, it } from "vitest";
import { imageSrcset, imageUrl } from "../../client/index.js";
import { IMAGE_WIDTHS } from "../../src/media/image-sizes.js";

const baseUrl = "https://media.test/";
const media = { publicId: "MED-1", width: 1000, height: 600 };
const ADDRESS = "https://media.test/v1/media/public/MED-1/image";

describe("the address of a picture by size", () => {
  it("names the width, and the rest where it is given", () => {
    expect(imageUrl(media, { baseUrl, width: 640 })).toBe(`${ADDRESS}?w=640`);
    expect(imageUrl(media, { baseUrl, width: 160, format: "webp", crop: "16:9" })).toBe(
      `${ADDRESS}?w=160&format=webp&crop=16%3A9`,
    );
    expect(imageUrl({ publicId: "a/b?c" }, { baseUrl: "https://media.test/base", width: 160 })).toBe(
      "https://media.test/base/v1/media/public/a%2Fb%3Fc/image?w=160",
    );
  });
});

describe("the widths of a picture to choose from", () => {
  const widthsOf = (srcSet = "") => srcSet.split(", ").map((source) => source.split(" ")[1]);

  it("end with the first that is as wide as the picture, and say how wide it will be", () => {
    const { src, srcSet, sizes, width, height } = imageSrcset(media, { baseUrl, sizes: "50vw" });
    expect(widthsOf(srcSet)).toEqual(["160w", "320w", "480w", "640w", "800w", "960w", "1000w"]);
    expect([src, sizes, width, height]).toEqual([`${ADDRESS}?w=1280`, "50vw", 1000, 600]);
  });

  it("are of what the crop leaves", () => {
    const { srcSet, width, height } = imageSrcset(media, { baseUrl, crop: "1:1", format: "avif" });
    expect(widthsOf(srcSet)).toEqual(["160w", "320w", "480w", "600w"]);
    expect(srcSet).toContain(`${ADDRESS}?w=640&format=avif&crop=1%3A1 600w`);
    expect([width, height]).toEqual([600, 600]);
  });

  it("are one for a small picture, and all where its size is not known", () => {
    expect(widthsOf(imageSrcset({ ...media, width: 60, height: 60 }, { baseUrl }).srcSet)).toEqual(["60w"]);
    const unknown = imageSrcset({ publicId: "MED-1", width: null, height: null }, { baseUrl });
    expect(widthsOf(unknown.srcSet)).toEqual(IMAGE_WIDTHS.map((width) => `${width}w`));
    expect(unknown).not.toHaveProperty("width");
  });
});
