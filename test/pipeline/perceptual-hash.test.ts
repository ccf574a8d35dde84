import sharp, { type Sharp } from "sharp";
import phash from "sharp-phash";
import distance from "sharp-phash/distance.js";
import { describe, expect, it } from "vitest";
import { hashSourceSize, perceptualHash } from "../../src/pipeline/perceptual-hash.js";
import { takePixels } from "../../src/pipeline/pixels.js";
import { corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { paint, scenery } from "../support/pictures.js";

const fullHash = phash as unknown as typeof phash.default;
const bits = distance as unknown as typeof distance.default;

/** As the pipeline takes it: of the picture shrunk to what the hash needs. */
async function hashOf(picture: Buffer): Promise<string | null> {
  const { autoOrient } = await sharp(picture).metadata();
  const { width, height } = hashSourceSize(autoOrient);
  return perceptualHash(await takePixels(sharp(picture, { autoOrient: true }).resize(width, height, { fit: "fill" })));
}

/** sharp-phash itself, of the whole picture, upright and on white. */
const referenceOf = async (picture: Buffer): Promise<string> =>
  fullHash(await sharp(picture).autoOrient().flatten({ background: "#ffffff" }).png().toBuffer());

const png = (picture: Sharp): Promise<Buffer> => picture.png().toBuffer();

describe("the perceptual hash", () => {
  it("is 64 characters of 0 and 1", async () => {
    expect(await hashOf(await png(scenery(900, 600)))).toMatch(/^[01]{64}$/);
  });

  it.each([
    ["large", 2400, 1800],
    ["tall", 700, 1900],
    ["small", 120, 90],
    ["a strip", 3000, 60],
  ])("of a picture that is %s lies within 2 bits of sharp-phash on the whole of it", async (_, width, height) => {
    const picture = await png(scenery(width, height));
    expect(bits((await hashOf(picture)) ?? "", await referenceOf(picture))).toBeLessThanOrEqual(2);
  });

  it.each([1, 2, 3, 4])(
    "is that of sharp-phash, bit for bit, of a picture that needs no shrinking (%i)",
    async (seed) => {
      const picture = await png(scenery(800, 600, seed));
      expect(await hashOf(picture)).toBe(await referenceOf(picture));
    },
  );

  it("sees transparent parts as white", async () => {
    const shape = await png(scenery(600, 400));
    const mask = await png(
      paint(600, 400, (x, y) => (Math.hypot(x - 0.4, y - 0.6) < 0.3 ? [255, 255, 255] : [0, 0, 0])),
    );
    const cut = await sharp(shape)
      .joinChannel(await sharp(mask).extractChannel(0).toBuffer())
      .png()
      .toBuffer();
    expect(bits((await hashOf(cut)) ?? "", await referenceOf(cut))).toBeLessThanOrEqual(2);
    expect(bits((await hashOf(cut)) ?? "", (await hashOf(shape)) ?? "")).toBeGreaterThan(10);
  });

  it("stays within the limit of the same picture when it is saved again, smaller and worse", async () => {
    const hash = await hashOf(await png(scenery(1600, 1200)));
    const again = await hashOf(await scenery(1600, 1200).jpeg({ quality: 35 }).toBuffer());
    const half = await hashOf(await scenery(800, 600).jpeg({ quality: 70 }).toBuffer());
    expect(bits(hash ?? "", again ?? "")).toBeLessThanOrEqual(5);
    expect(bits(hash ?? "", half ?? "")).toBeLessThanOrEqual(5);
  });

  it("tells pictures apart", async () => {
    const [one, other] = await Promise.all([1, 2].map(async (seed) => hashOf(await png(scenery(600, 400, seed)))));
    expect(bits(one ?? "", other ?? "")).toBeGreaterThan(10);
  });

  it.each([
    ["one colour", paint(300, 200, () => [40, 120, 200])],
    ["a gradient downwards", paint(300, 200, (_, y) => [y * 255, y * 255, y * 255])],
    ["a gradient sideways", paint(300, 200, (x) => [x * 255, 90, 90])],
    ["stripes", paint(300, 200, (_, y) => (y % 0.2 < 0.1 ? [0, 0, 0] : [255, 255, 255]))],
    ["hardly visible shapes", scenery(300, 200).linear(0.02, 120)],
  ])("is null for %s, which holds nothing the hash could see", async (_, picture) => {
    expect(await hashOf(await png(picture))).toBeNull();
  });

  it("is null for one colour saved as JPEG with noise", async () => {
    const noise = { type: "gaussian", mean: 128, sigma: 15 } as const;
    const picture = sharp({ create: { width: 900, height: 900, channels: 3, background: "#888888", noise } });
    expect(await hashOf(await picture.jpeg({ quality: 70 }).toBuffer())).toBeNull();
  });
});

describe.skipIf(noCorpus)("the perceptual hash of photographs", () => {
  const bases = corpusRows("neardup").filter(({ file }) => file.endsWith("_base.jpg"));

  it("is never null and lies within 2 bits of sharp-phash on the whole picture", async () => {
    expect(bases.length).toBeGreaterThan(10);
    for (const { file } of bases.slice(0, 20)) {
      const picture = await sharp(corpusPath(file)).keepExif().png({ compressionLevel: 1 }).toBuffer();
      const hash = await hashOf(picture);
      expect(hash, file).not.toBeNull();
      expect(bits(hash ?? "", await referenceOf(picture)), file).toBeLessThanOrEqual(2);
    }
  });
});
