import sharp from "sharp";
import { thumbHashToAverageRGBA } from "thumbhash";
import { describe, expect, it } from "vitest";
import { takePixels } from "../../src/pipeline/pixels.js";
import { describeAtAGlance } from "../../src/pipeline/placeholder.js";
import { paint, type Rgb, scenery } from "../support/pictures.js";

const BLUE: Rgb = [20, 60, 200];
const RED: Rgb = [250, 10, 10];

describe("what is shown of a picture before it has loaded", () => {
  it("names the most frequent colour as sharp's statistics do", async () => {
    for (const seed of [1, 2, 3]) {
      const picture = await takePixels(scenery(50, 40, seed));
      const raw = { width: 50, height: 40, channels: 3 } as const;
      const { r, g, b } = (await sharp(picture.data, { raw }).stats()).dominant;
      const { dominantColor } = await describeAtAGlance(picture);
      expect(dominantColor).toBe(`#${Buffer.from([r, g, b]).toString("hex")}`);
    }
  });

  it("lets the larger of two colours win, however light the other", async () => {
    const picture = await takePixels(paint(400, 300, (x) => (x < 0.6 ? BLUE : [255, 255, 255])));
    expect((await describeAtAGlance(picture)).dominantColor).toBe("#1838c8");
  });

  it("lays transparent parts on white for the colour, and keeps them in the placeholder", async () => {
    const pixels = Buffer.alloc(100 * 60 * 4);
    for (let at = 0; at < pixels.length; at += 4) pixels.set([...RED, (at / 4) % 100 < 30 ? 255 : 0], at);
    const seen = await describeAtAGlance({ data: pixels, width: 100, height: 60, channels: 4 });
    expect(seen.dominantColor).toBe("#f8f8f8");
    expect(thumbHashToAverageRGBA(Buffer.from(seen.placeholder, "base64")).a).toBeCloseTo(0.3, 1);
  });

  it("is had of strips and of the smallest pictures", async () => {
    for (const [width, height] of [
      [1600, 1],
      [1, 800],
      [1, 1],
    ] as const) {
      const seen = await describeAtAGlance(await takePixels(paint(width, height, () => RED)));
      expect(seen.dominantColor).toBe("#f80808");
      expect(Buffer.from(seen.placeholder, "base64").length).toBeGreaterThan(4);
    }
  });
});
