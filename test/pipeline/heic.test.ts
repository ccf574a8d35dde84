import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import { hammingDistance } from "../../src/media/near-duplicates.js";
import type { RenderedImage } from "../../src/media/ports.js";
import { CORNERS, colourAt, colourDistance, quarters, type Rgb } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";
import { createRandom } from "../support/seeded-random.js";

/** See the page beside the files for what is in them. */
const fixture = (name: string): Promise<Buffer> =>
  readFile(fileURLToPath(new URL(`../fixtures/heic/${name}.heic`, import.meta.url)));

let stage: PixelStage;
beforeAll(async () => {
  stage = await openPixelStage(30_000_000);
});
afterAll(() => stage.close());

const store = (bytes: Uint8Array): Promise<string> => stage.store(bytes);
const render = async (bytes: Uint8Array): Promise<RenderedImage> => stage.renderAt(await store(bytes));

const pathOf = (image: RenderedImage, name: string): string =>
  image.variants.find((variant) => variant.name === name)?.path ?? "missing";

/** The same file whose depth property tells to turn instead (ISO/IEC 23008-12, 6.5.10): it is as long and not needed. */
function turned(heic: Buffer, quartersAnticlockwise: number): Buffer {
  const copy = Buffer.from(heic);
  const at = copy.indexOf("pixi");
  copy.write("irot", at, "latin1");
  copy[at + 4] = quartersAnticlockwise;
  return copy;
}

async function expectCorners(path: string, corners: readonly [Rgb, Rgb, Rgb, Rgb]): Promise<void> {
  const places = [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.2, 0.8],
    [0.8, 0.8],
  ] as const;
  for (const [at, [x, y]] of places.entries())
    expect(colourDistance(await colourAt(path, x, y), corners[at] as Rgb)).toBeLessThan(10);
}
const { topLeft, topRight, bottomLeft, bottomRight } = CORNERS;

describe("a HEIC picture", () => {
  it.each(["image/heic", "image/heif"])("is inspected as %s", async (type) => {
    expect(await stage.pipeline.inspect(await store(await fixture("plain")), type)).toEqual({
      width: 320,
      height: 240,
      frames: 1,
      heldPixels: 320 * 240,
    });
  });

  it("becomes JPEG variants of its colours", async () => {
    const image = await render(await fixture("plain"));
    expect(image).toMatchObject({ width: 320, height: 240, exif: {}, originalChanged: false });
    expect(image.variants.map(({ name, contentType }) => [name, contentType])).toEqual([["thumbnail", "image/jpeg"]]);
    await expectCorners(pathOf(image, "thumbnail"), [topLeft, topRight, bottomLeft, bottomRight]);
  });

  it("in a wider gamut has its colours in sRGB", async () => {
    const file = await fixture("wide-gamut");
    expect((await sharp(file).metadata()).hasProfile).toBe(true);
    const image = await render(file);
    const thumbnail = pathOf(image, "thumbnail");
    await expectCorners(thumbnail, [topLeft, topRight, bottomLeft, bottomRight]);
    expect((await sharp(thumbnail).metadata()).hasProfile).toBe(false);
  });

  it("keeps its transparency in WebP", async () => {
    const image = await render(await fixture("alpha"));
    const { data, info } = await sharp(pathOf(image, "thumbnail")).raw().toBuffer({ resolveWithObject: true });
    expect([info.channels, data[3], data[info.width * 4 - 1]]).toEqual([4, 0, 255]);
  });

  it("stands upright where the file says it is to be turned", async () => {
    const image = await render(turned(await fixture("plain"), 1));
    expect(image).toMatchObject({ width: 240, height: 320 });
    await expectCorners(pathOf(image, "thumbnail"), [topRight, bottomRight, topLeft, bottomLeft]);
  });

  it("has the hash of the same picture as JPEG", async () => {
    const [heic, jpeg] = [
      await render(await fixture("plain")),
      await render(await quarters(320, 240).jpeg().toBuffer()),
    ];
    expect(hammingDistance(heic.perceptualHash ?? "", jpeg.perceptualHash ?? "")).toBeLessThanOrEqual(3);
  });

  it("gives its EXIF, and loses its position in place", async () => {
    const path = await store(await fixture("wide-gamut"));
    const image = await stage.renderAt(path);
    expect(image).toMatchObject({ exif: { make: "Artitec", model: "Testcam" }, originalChanged: true });
    const kept = await readFile(path);
    expect(kept.length).toBe((await fixture("wide-gamut")).length);
    expect((await stage.renderAt(path)).originalChanged).toBe(false);
  });

  it("that is cut anywhere is damaged, and the next one is not", async () => {
    const file = await fixture("plain");
    for (const share of [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
      await expect(render(file.subarray(0, Math.floor(file.length * share)))).rejects.toMatchObject({
        failure: { code: "CORRUPT_FILE" },
      });
    expect((await render(file)).width).toBe(320);
  });

  it("with any bytes changed is a picture or damaged, and nothing else", async () => {
    const random = createRandom(20_261_122);
    const file = await fixture("wide-gamut");
    for (let n = 0; n < 60; n++) {
      const mutated = Buffer.from(file);
      for (let change = 0; change < 4; change++)
        mutated[Math.floor(random() * mutated.length)] = Math.floor(random() * 256);
      const end = await render(mutated).catch((error: unknown) => error);
      if (end instanceof Error) {
        expect(end).toBeInstanceOf(MediaError);
        expect(["CORRUPT_FILE", "UNSUPPORTED_TYPE", "TOO_MANY_PIXELS"]).toContain((end as MediaError).failure.code);
      }
    }
  });
});
