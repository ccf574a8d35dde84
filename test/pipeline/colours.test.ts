import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodePicture } from "../../src/pipeline/decode-picture.js";
import { readHeader } from "../../src/pipeline/picture-header.js";
import { profiledTiff } from "../../src/pipeline/profiled-tiff.js";
import { field, fieldError, pictureError, profileOfSpace } from "../support/colour-field.js";
import { converterToSrgb, RGB_SPACES, type RgbSpace } from "../support/colour-science.js";
import { greyProfile } from "../support/grey-profile.js";
import { heifFile, itemOf, PROPERTIES } from "../support/heif-file.js";
import { withChunk } from "../support/hostile-pictures.js";
import { colourAt, colourDistance, type Rgb } from "../support/pictures.js";
import { openPixelStage, type PixelStage } from "../support/pixel-stage.js";
import { createRandom } from "../support/seeded-random.js";
import { type TiffPicture, tiffFile } from "../support/tiff-file.js";

let stage: PixelStage;
let p3ByIcc: Buffer;
let cmykByIcc: Buffer;
beforeAll(async () => {
  stage = await openPixelStage(30_000_000);
  const plain = sharp({ create: { width: 8, height: 8, channels: 3, background: "#888" } });
  p3ByIcc = await profileIn(await plain.clone().withIccProfile("p3").png().toBuffer());
  cmykByIcc = await profileIn(await plain.clone().withIccProfile("cmyk").tiff().toBuffer());
});
afterAll(() => stage.close());

async function profileIn(picture: Buffer): Promise<Buffer> {
  const { icc } = await sharp(picture).metadata();
  if (!icc) throw new Error("it has no profile");
  return icc;
}

/** Its largest variant; the original is as it was. */
async function renderLargest(bytes: Buffer): Promise<string> {
  const path = await stage.store(bytes);
  const { variants } = await stage.renderAt(path);
  expect((await readFile(path)).equals(bytes)).toBe(true);
  return variants[0]?.path ?? "none";
}

const colourIn = async (bytes: Buffer): Promise<Rgb> => colourAt(await renderLargest(bytes), 0.5, 0.5);

/** 8-bit sRGB of 8-bit values of the space. */
const inSrgb = (space: RgbSpace, [red, green, blue]: Rgb): Rgb => {
  const [r, g, b] = converterToSrgb(space)([red / 255, green / 255, blue / 255]);
  return [r * 255, g * 255, b * 255];
};

const COLOUR: Rgb = [180, 90, 60];
const SIZE = { width: 480, height: 300 } as const;
const repeated = (pixel: Uint8Array): Buffer => Buffer.alloc(SIZE.width * SIZE.height * pixel.length, pixel);
const bytes = (...values: number[]): Buffer => repeated(Uint8Array.from(values));
const shorts = (...values: number[]): Buffer => repeated(new Uint8Array(Uint16Array.from(values).buffer));
const floats = (...values: number[]): Buffer => repeated(new Uint8Array(Float32Array.from(values).buffer));
const tiff = (picture: Omit<TiffPicture, "width" | "height">): Buffer => tiffFile({ ...SIZE, ...picture });
const rgb = (profile: Buffer, values: Rgb = COLOUR): Buffer =>
  tiff({ channels: 3, bits: 8, photometric: 2, data: bytes(...values), profile });

const { srgb, displayP3, dciP3, adobeRgb, proPhoto, bt2020 } = RGB_SPACES;

/** ΔE2000 against the conversion computed. A field in sRGB has a mean of 0.3 and a 99th percentile of 1.2 already. */
const MEAN_ERROR = 0.6;
const P99_ERROR = 2.5;

async function expectField(picture: Buffer, space: RgbSpace): Promise<void> {
  const { mean, p99 } = await fieldError(await renderLargest(picture), space);
  expect(mean).toBeLessThan(MEAN_ERROR);
  expect(p99).toBeLessThan(P99_ERROR);
}

describe("a colour profile is followed", () => {
  it("and the measure would tell if it were not", async () => {
    const { mean } = await fieldError(await renderLargest(await field(null).png().toBuffer()), displayP3);
    expect(mean).toBeGreaterThan(2);
  });

  it.each<[string, () => Promise<Buffer>, RgbSpace]>([
    ["none in PNG", () => field(null).png().toBuffer(), srgb],
    ["sRGB in 16-bit PNG", () => field(profileOfSpace(srgb), 16).png().toBuffer(), srgb],
    ["Display P3 (ICC v4) in PNG", () => field(p3ByIcc).png().toBuffer(), displayP3],
    ["Display P3 (ICC v4) in JPEG", () => field(p3ByIcc).jpeg({ quality: 95 }).toBuffer(), displayP3],
    ["Display P3 (ICC v4) in WebP", () => field(p3ByIcc).webp({ quality: 95, effort: 0 }).toBuffer(), displayP3],
    ["Display P3 (ICC v4) in AVIF", () => field(p3ByIcc).avif({ quality: 90, effort: 0 }).toBuffer(), displayP3],
    ["Adobe RGB in JPEG", () => field(profileOfSpace(adobeRgb)).jpeg({ quality: 95 }).toBuffer(), adobeRgb],
    ["Adobe RGB in 16-bit TIFF", () => field(profileOfSpace(adobeRgb), 16).tiff().toBuffer(), adobeRgb],
    ["ProPhoto in TIFF", () => field(profileOfSpace(proPhoto)).tiff().toBuffer(), proPhoto],
    ["ProPhoto in 16-bit PNG", () => field(profileOfSpace(proPhoto), 16).png().toBuffer(), proPhoto],
    ["BT.2020 in PNG", () => field(profileOfSpace(bt2020)).png().toBuffer(), bt2020],
  ])("%s", async (_, make, space) => expectField(await make(), space));

  it.each([
    [8, 1],
    [8, 1.8],
    [16, 1],
    [16, 2.2],
  ] as const)("of a grey TIFF of %i bits, gamma %d", async (bits, gamma) => {
    const data = bits === 8 ? bytes(100) : shorts(100 * 257);
    const grey = await colourIn(tiff({ channels: 1, bits, photometric: 1, data, profile: greyProfile(gamma) }));
    const expected = inSrgb({ ...srgb, toLight: (value) => value ** gamma }, [100, 100, 100]);
    expect(colourDistance(grey, expected)).toBeLessThan(2);
  });

  it("of greys with transparency, which they keep", async () => {
    const greys = { ...SIZE, channels: 2, bits: 8, data: bytes(100, 128) } as const;
    const { channels } = await sharp(await renderLargest(profiledTiff(greys, greyProfile(1)))).stats();
    expect(channels.map(({ mean }) => Math.round(mean))).toEqual([168, 168, 168, 128]);
  });
});

describe("a colour profile is followed after shrinking", () => {
  it.each([
    ["Display P3", displayP3],
    ["Adobe RGB", adobeRgb],
  ])("which even on hard edges of full colours in %s differs little", async (_, space) => {
    const random = createRandom(7);
    const blocks = Array.from({ length: 96 * 60 }, () => [0, 1, 2].map(() => (random() < 0.5 ? 0 : 255)));
    const data = Buffer.concat(
      Array.from({ length: 480 * 300 }, (_, at) => {
        const [x, y] = [at % 480, Math.floor(at / 480)];
        return Buffer.from(blocks[Math.floor(y / 5) * 96 + Math.floor(x / 5)] ?? []);
      }),
    );
    const path = await stage.store(
      tiff({ channels: 3, bits: 8, photometric: 2, data, profile: profileOfSpace(space) }),
    );
    const size = { width: 192, height: 120 };
    const after = await decodePicture({ path, header: await readHeader(path), maxPixels: 1_000_000 }, size);
    const before = await sharp(path).resize(size.width, size.height, { fit: "fill" }).raw().toBuffer();
    const { mean, p99 } = pictureError(after.data, before);
    expect(mean).toBeLessThan(1.6);
    expect(p99).toBeLessThan(7);
  });
});

describe("a profile that cannot be meant leaves the numbers as sRGB", () => {
  const expectOwnColour = async (picture: Buffer): Promise<void> =>
    expect(colourDistance(await colourIn(picture), COLOUR)).toBeLessThan(3);

  it.each<[string, () => Buffer]>([
    ["of CMYK", () => cmykByIcc],
    ["of grey", () => greyProfile(1)],
    ["of noise", () => Buffer.alloc(500, 7)],
    ["of nothing", () => Buffer.alloc(1)],
  ])("in a picture of RGB: one %s", async (_, profile) => {
    await expectOwnColour(rgb(profile()));
    const data = shorts(...COLOUR.map((value) => value * 257));
    await expectOwnColour(tiff({ channels: 3, bits: 16, photometric: 2, data, profile: profile() }));
    await expectOwnColour(await sharp(rgb(profile())).keepIccProfile().jpeg({ quality: 95 }).toBuffer());
  });

  it("in a grey picture: one of RGB", async () => {
    const profile = profileOfSpace(proPhoto);
    const grey = await colourIn(tiff({ channels: 1, bits: 8, photometric: 1, data: bytes(100), profile }));
    expect(colourDistance(grey, [100, 100, 100])).toBeLessThan(3);
  });

  it("cut anywhere, or it is followed as far as it says", async () => {
    const whole = profileOfSpace(adobeRgb);
    const followed = inSrgb(adobeRgb, COLOUR);
    for (const length of [20, 127, 140, 200, 240, 300, whole.length - 1]) {
      const colour = await colourIn(rgb(whole.subarray(0, length)));
      const error = Math.min(colourDistance(colour, COLOUR), colourDistance(colour, followed));
      expect(error, `${length} bytes`).toBeLessThan(3);
    }
  });
});

describe("code points without a profile are followed", () => {
  const pngWith = async (...points: number[]): Promise<Buffer> =>
    withChunk(await field(null).png().toBuffer(), "cICP", Buffer.from(points));

  it.each<[string, number[], RgbSpace]>([
    ["Display P3", [12, 13, 0, 1], displayP3],
    ["DCI-P3", [11, 13, 0, 1], dciP3],
    ["BT.2020", [9, 14, 0, 1], bt2020],
    ["gamma 2.2", [1, 4, 0, 1], { ...srgb, toLight: (value) => value ** 2.2 }],
    ["sRGB", [1, 13, 0, 1], srgb],
    ["those of old television, which are taken for sRGB", [6, 6, 0, 1], srgb],
    ["unknown ones, which are taken for sRGB", [200, 200, 0, 1], srgb],
  ])("in PNG: %s", async (_, points, space) => expectField(await pngWith(...points), space));

  it("in PNG before a profile", async () => {
    const picture = await field(profileOfSpace(adobeRgb)).png().toBuffer();
    await expectField(withChunk(picture, "cICP", Buffer.from([12, 13, 0, 1])), displayP3);
    await expectField(withChunk(picture, "cICP", Buffer.from([1, 13, 0, 1])), srgb);
  });

  it("in AVIF of 8 and 10 bits", async () => {
    for (const bitdepth of [8, 10] as const) {
      const item = itemOf(await field(null, 16).avif({ quality: 90, effort: 0, bitdepth }).toBuffer());
      const file = heifFile([{ ...item, properties: [...item.properties, PROPERTIES.codePoints(12, 13)] }]);
      await expectField(file, displayP3);
    }
  });

  it("in HEIC, where there is no profile", async () => {
    const fixture = (name: string) =>
      readFile(fileURLToPath(new URL(`../fixtures/heic/${name}.heic`, import.meta.url)));
    const item = itemOf(await fixture("plain"));
    const coded: Rgb = [230, 20, 20];
    for (const [primaries, space] of [
      [12, displayP3],
      [9, bt2020],
      [1, srgb],
    ] as const) {
      const file = heifFile([{ ...item, properties: [...item.properties, PROPERTIES.codePoints(primaries, 1)] }]);
      const expected = inSrgb(space, coded);
      expect(colourDistance(await colourAt(await renderLargest(file), 0.2, 0.2), expected)).toBeLessThan(5);
    }
  });

  it("but not gAMA and cHRM, as no other program on libvips does", async () => {
    const gamma = withChunk(await field(null).png().toBuffer(), "gAMA", Buffer.from([0, 1, 0x86, 0xa0]));
    await expectField(gamma, srgb);
  });

  // Reference white stands at these codes: ITU-R BT.2408-7, table 1. It keeps 52 % of the light of a page's white.
  it.each([
    ["PQ", 16, 0.581],
    ["HLG", 18, 0.75],
  ] as const)(
    "high dynamic range (%s) keeps the order of its greys, from black to white",
    async (_, transfer, white) => {
      const ramp = Buffer.from(Array.from({ length: 480 * 200 }, (_, at) => Math.round(((at % 480) / 479) * 255)));
      const picture = await sharp(ramp, { raw: { width: 480, height: 200, channels: 1 } })
        .toColourspace("srgb")
        .png()
        .toBuffer();
      const path = await renderLargest(withChunk(picture, "cICP", Buffer.from([9, transfer, 0, 1])));
      const greys = await Promise.all(
        [0, 0.2, 0.4, white, 0.79, 0.85].map(async (x) => (await colourAt(path, x, 0.5))[1]),
      );
      expect(greys).toEqual([...greys].sort((a, b) => a - b));
      expect(greys[0]).toBeLessThan(3);
      expect(Math.abs((greys[3] ?? 0) - 191)).toBeLessThan(6);
      expect((await colourAt(path, 0.999, 0.5))[1]).toBeGreaterThan(250);
    },
  );
});

/** C, M, Y, K and, by libvips's own profile, red, green, blue, as transicc of Little CMS 2.14 computed them (`-t0 -o*sRGB`). */
const PRINTED = [
  [
    [0, 0, 0, 0],
    [255, 255, 255],
  ],
  [
    [51, 128, 128, 26],
    [179, 118, 106],
  ],
  [
    [128, 51, 204, 51],
    [110, 132, 69],
  ],
  [
    [128, 128, 128, 0],
    [131, 113, 113],
  ],
  [
    [204, 204, 51, 102],
    [52, 41, 89],
  ],
] as const satisfies readonly (readonly [ink: readonly number[], shown: Rgb])[];

describe("CMYK", () => {
  /** Each colour as one field beside the others. */
  function printed(change: (ink: readonly number[]) => readonly number[] = (ink) => ink, profile?: Buffer): Buffer {
    const row = PRINTED.map(([ink]) => Buffer.alloc((SIZE.width / PRINTED.length) * 4, Uint8Array.from(change(ink))));
    const data = Buffer.concat(Array<Buffer>(SIZE.height).fill(Buffer.concat(row)));
    return tiff({ channels: 4, bits: 8, photometric: 5, data, ...(profile ? { profile } : {}) });
  }
  const jpeg = (picture: Buffer): Promise<Buffer> =>
    sharp(picture).pipelineColourspace("cmyk").toColourspace("cmyk").keepIccProfile().jpeg({ quality: 100 }).toBuffer();

  async function expectShown(picture: Buffer): Promise<void> {
    expect((await sharp(picture).metadata()).space).toBe("cmyk");
    const path = await renderLargest(picture);
    for (const [at, [ink, shown]] of PRINTED.entries()) {
      const colour = await colourAt(path, (at + 0.5) / PRINTED.length, 0.5);
      expect(colourDistance(colour, shown), `${ink.join()} is ${colour.join()}`).toBeLessThan(8);
    }
  }

  it("has the colours of its profile", () => expectShown(printed(undefined, cmykByIcc)));
  it("without a profile has the usual one", () => expectShown(printed()));
  it("with a profile of RGB has the usual one", () => expectShown(printed(undefined, profileOfSpace(proPhoto))));
  it("with a profile cut off has the usual one", () => expectShown(printed(undefined, cmykByIcc.subarray(0, 20_000))));

  it("in JPEG, where it stands inverted as Adobe's programs write it, comes out right", async () => {
    await expectShown(await jpeg(printed(undefined, cmykByIcc)));
    await expectShown(await jpeg(printed()));
  });

  it("in JPEG as YCCK comes out right", async () => {
    // ITU-T T.871, 7, of the ink itself: what the file holds inverted is turned back on the way out.
    const coded = ([cyan = 0, magenta = 0, yellow = 0, black = 0]: readonly number[]): number[] => {
      const luma = 0.299 * cyan + 0.587 * magenta + 0.114 * yellow;
      const parts = [luma, 128 + (yellow - luma) / 1.772, 128 + (cyan - luma) / 1.402];
      return [...parts.map((value) => 255 - Math.round(value)), black];
    };
    const file = await jpeg(printed(coded));
    file[file.indexOf("Adobe") + 11] = 2;
    await expectShown(file);
  });

  it("of 16 bits comes out right", async () => {
    const [, [ink, shown]] = PRINTED;
    const data = shorts(...ink.map((value) => value * 257));
    const colour = await colourIn(tiff({ channels: 4, bits: 16, photometric: 5, data }));
    expect(colourDistance(colour, shown)).toBeLessThan(8);
  });
});

describe("other numbers of a TIFF", () => {
  const light = COLOUR.map((value) => srgb.toLight(value / 255));

  it("are linear where they are floating point, whatever profile says so again", async () => {
    const picture = { channels: 3, bits: 32, photometric: 2, isFloat: true, data: floats(...light) } as const;
    const linear = profileOfSpace({ ...srgb, toLight: (value) => value });
    for (const file of [tiff(picture), tiff({ ...picture, profile: linear })])
      expect(colourDistance(await colourIn(file), COLOUR)).toBeLessThan(3);
  });

  it("are L*a*b* of 16 bits", async () => {
    // sRGB 180, 90, 60 under D50.
    const [l, a, b] = [49.2, 35.59, 34.63];
    const data = shorts(Math.round(l * 655.35), Math.round(a * 256), Math.round(b * 256));
    expect(colourDistance(await colourIn(tiff({ channels: 3, bits: 16, photometric: 8, data })), COLOUR)).toBeLessThan(
      6,
    );
  });

  it("count down to white where the file says so", async () => {
    expect(await colourIn(tiff({ channels: 1, bits: 8, photometric: 0, data: bytes(50) }))).toEqual([205, 205, 205]);
  });

  it.each<[string, Omit<TiffPicture, "width" | "height">]>([
    ["greys of floating point", { channels: 1, bits: 32, photometric: 1, isFloat: true, data: floats(0.5) }],
    ["greys of 32 bits", { channels: 1, bits: 32, photometric: 1, data: floats(0.5) }],
    ["L*a*b* of 8 bits", { channels: 3, bits: 8, photometric: 8, data: bytes(125, 35, 34) }],
    ["five channels", { channels: 5, bits: 8, photometric: 2, data: bytes(1, 2, 3, 4, 5) }],
  ])("are refused where they have no certain colour: %s", async (_, picture) => {
    await expect(stage.renderAt(await stage.store(tiff(picture)))).rejects.toMatchObject({
      failure: { code: "CORRUPT_FILE" },
    });
  });
});
