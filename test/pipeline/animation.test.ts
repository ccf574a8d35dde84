import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RenderedImage } from "../../src/media/ports.js";
import { sizeForAll } from "../../src/pipeline/animation.js";
import { animation, CORNERS } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";

let stage: PixelStage;
beforeAll(async () => {
  stage = await openPixelStage(10_000_000);
});
afterAll(() => stage.close());

const render = async (bytes: Uint8Array): Promise<RenderedImage> => stage.renderAt(await stage.store(bytes));

async function playOf(image: RenderedImage): Promise<{ delay: number[]; loop: number }> {
  const { delay = [], loop = -1 } = await sharp(image.variants[0]?.path).metadata();
  return { delay, loop };
}

const SIZE = { width: 160, height: 160 };
const COLOURS = Object.values(CORNERS).slice(0, 3);

/** Two bytes of every graphic control extension, and of the extension that says how often all is played. */
async function gifThatSays({ centiseconds, plays }: { centiseconds: number; plays: number }): Promise<Buffer> {
  const gif = await (await animation("gif", SIZE, COLOURS)).toBuffer();
  const control = Buffer.from([0x21, 0xf9, 4]);
  for (let at = gif.indexOf(control); at !== -1; at = gif.indexOf(control, at + 1))
    gif.writeUInt16LE(centiseconds, at + 4);
  gif.writeUInt16LE(plays, gif.indexOf("NETSCAPE2.0") + 13);
  return gif;
}

describe("an animation", () => {
  it("keeps its delays and plays", async () => {
    const image = await render(await gifThatSays({ centiseconds: 6_000, plays: 7 }));
    expect(await playOf(image)).toMatchObject({ delay: [60_000, 60_000, 60_000], loop: expect.any(Number) });
  });

  it("that shows a frame for minutes shows it as long as the writer can say", async () => {
    const image = await render(await gifThatSays({ centiseconds: 60_000, plays: 7 }));
    expect((await playOf(image)).delay).toEqual([65_535, 65_535, 65_535]);
  });

  it("that is played as often as a GIF can say is played as often as the writer can say", async () => {
    const image = await render(await gifThatSays({ centiseconds: 10, plays: 65_535 }));
    expect((await playOf(image)).loop).toBe(65_535);
  });

  it("of WebP whose frame is shown for hours", async () => {
    const webp = await (await animation("webp", SIZE, COLOURS)).toBuffer();
    webp.writeUIntLE(0xffffff, webp.indexOf("ANMF") + 8 + 12, 3);
    expect((await playOf(await render(webp))).delay).toEqual([65_535, 300, 400]);
  });
});

describe("the size of an animation's frames", () => {
  it.each([
    [1, 1600, 1200],
    [20, 1600, 1200],
    [125, 800, 589],
  ])("is as planned for %i of %i x %i", (frames, width, height) => {
    expect(sizeForAll({ width, height }, frames)).toEqual({ width, height });
  });

  it.each([
    [66, 1600, 1200],
    [1000, 400, 400],
    [80_000, 50, 50],
    [100_000, 2000, 1],
  ])(
    "is smaller for %i of %i x %i, in the same proportions, and as large as 60 megapixels of all allow",
    (frames, width, height) => {
      const size = sizeForAll({ width, height }, frames);
      expect(size.width * size.height * frames).toBeLessThanOrEqual(60_000_000 + frames * size.width);
      expect((size.width + 1) * (size.height + 1) * frames).toBeGreaterThan(60_000_000);
      expect(Math.abs(size.width - (size.height * width) / height)).toBeLessThanOrEqual(width / height + 1);
    },
  );
});
