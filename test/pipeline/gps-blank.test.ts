import { createHash } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import exifr from "exifr";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { blankGpsInFile } from "../../src/pipeline/gps-blank.js";
import { corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";
import {
  camera,
  composeTiff,
  exifSegment,
  GPS_TAGS,
  holdsSeconds,
  imageResource,
  jpegWith,
  LENS_TAGS,
  noise,
  type Order,
  pixelsOf,
  positionSeen,
  SHARP_EXIF,
  segment,
  XMP_POSITION,
  XMP_WITH_GPS,
  xmpSegment,
} from "./gps-material.js";

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
});
afterAll(() => folder.remove());

async function store(bytes: Buffer): Promise<string> {
  const path = join(folder.path, "picture");
  await writeFile(path, bytes);
  return path;
}

const sharpFile = (format: "jpeg" | "png" | "webp" | "avif" | "tiff"): Promise<Buffer> =>
  noise().withExif(SHARP_EXIF).withXmp(XMP_WITH_GPS)[format]().toBuffer();

/** A TIFF picture of one strip, its GPS directory in front of the main one. */
function tiffPicture(order: Order): Buffer {
  const strip = Buffer.alloc(64 * 48, "a strip of pixels ");
  const picture = {
    256: { shorts: [64] },
    257: { shorts: [48] },
    258: { shorts: [8] },
    259: { shorts: [1] },
    262: { shorts: [1] },
    271: { text: "Acme Cameras" },
    273: { placeOf: strip },
    277: { shorts: [1] },
    278: { shorts: [48] },
    279: { longs: [strip.length] },
    700: { bytes: Buffer.from(XMP_WITH_GPS) },
    34377: { bytes: imageResource(1058, camera("II")) },
  };
  const main = { ...picture, 34665: { ifd: "exif" }, 34853: { ifd: "gps" } };
  return composeTiff({ order, ifds: { gps: GPS_TAGS, main, exif: LENS_TAGS }, first: "main" });
}

const crowdedJpeg = (): Promise<Buffer> =>
  jpegWith(
    segment(0xed, "Photoshop 3.0\0", imageResource(1058, camera("MM")), imageResource(1060, XMP_WITH_GPS)),
    exifSegment(camera("II")),
    exifSegment(camera("MM")),
    xmpSegment(XMP_WITH_GPS),
  );

describe("blanking a file", () => {
  it.each(["jpeg", "png", "webp", "avif", "tiff"] as const)("of %s changes it in place, once", async (format) => {
    const bytes = await sharpFile(format);
    const path = await store(bytes);
    expect(await blankGpsInFile(path, `image/${format}`)).toBe(true);
    const after = await readFile(path);
    expect(after.equals(bytes)).toBe(false);
    expect(holdsSeconds(after)).toBe(false);
    expect(after.includes(XMP_POSITION)).toBe(false);
    expect((await pixelsOf(after)).equals(await pixelsOf(bytes))).toBe(true);
    expect(await blankGpsInFile(path, `image/${format}`)).toBe(false);
    expect((await readFile(path)).equals(after)).toBe(true);
  });

  it.each(["jpeg", "png", "webp", "avif", "tiff", "gif"] as const)(
    "of %s without a position does not write to it",
    async (format) => {
      const path = await store(await noise()[format]().toBuffer());
      const before = await stat(path, { bigint: true });
      const bytes = await readFile(path);
      expect(await blankGpsInFile(path, `image/${format}`)).toBe(false);
      expect((await stat(path, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    },
  );

  it.each(["II", "MM"] as const)("of a TIFF picture spares its strips, byte order %s", async (order) => {
    const bytes = tiffPicture(order);
    const path = await store(bytes);
    const skip = ["ApplicationNotes", "PhotoshopSettings"];
    const tags = await exifr.parse(bytes, { gps: false, xmp: false, skip });
    expect(await blankGpsInFile(path, "image/tiff")).toBe(true);
    const after = await readFile(path);
    expect((await pixelsOf(after)).equals(await pixelsOf(bytes))).toBe(true);
    expect(await positionSeen(after)).toEqual([]);
    expect(holdsSeconds(after)).toBe(false);
    expect(await exifr.parse(after, { gps: true, xmp: false, skip })).toEqual(tags);
    expect(tags).toMatchObject({ Make: "Acme Cameras", LensModel: "A long lens" });
  });

  it("of a bitmap searches what follows it, and not its pixels", async () => {
    const head = Buffer.from("BM\0\0\0\0", "latin1");
    const bitmap = Buffer.concat([head, Buffer.alloc(60, 3), Buffer.from(XMP_WITH_GPS)]);
    bitmap.writeUInt32LE(bitmap.length, 2);
    const path = await store(bitmap);
    expect(await blankGpsInFile(path, "image/bmp")).toBe(false);
    await writeFile(path, Buffer.concat([bitmap, Buffer.from(XMP_WITH_GPS)]));
    expect(await blankGpsInFile(path, "image/bmp")).toBe(true);
    const after = await readFile(path);
    expect(after.subarray(0, bitmap.length).equals(bitmap)).toBe(true);
    expect(after.subarray(bitmap.length).includes(XMP_POSITION)).toBe(false);
  });

  it("makes the file shorter where a chunk leaves it", async () => {
    const plain = await noise().png().toBuffer();
    const text = Buffer.concat([Buffer.from([0, 0, 0, 13]), Buffer.from("tEXtGPSLatitude\x0051"), Buffer.alloc(3)]);
    const path = await store(Buffer.concat([plain.subarray(0, 33), text.subarray(0, 25), plain.subarray(33)]));
    expect(await blankGpsInFile(path, "image/png")).toBe(true);
    expect((await readFile(path)).equals(plain)).toBe(true);
  });

  it.each(["image/svg+xml", "video/mp4", "", "toString"])(
    "of type %j is refused, not passed over",
    async (contentType) => {
      const path = await store(await crowdedJpeg());
      await expect(blankGpsInFile(path, contentType)).rejects.toThrow(TypeError);
    },
  );

  it("that is not there fails", async () => {
    await expect(blankGpsInFile(join(folder.path, "absent"), "image/jpeg")).rejects.toThrow("ENOENT");
  });

  it.each(["jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "heif", "bmp"])(
    "of %s takes an empty file and noise",
    async (format) => {
      for (const length of [0, 1, 5, 13, 40, 1000]) {
        const bytes = createHash("shake256", { outputLength: Math.max(1, length) })
          .update(format)
          .digest()
          .subarray(0, length);
        expect(await blankGpsInFile(await store(bytes), `image/${format}`)).toBe(false);
      }
    },
  );
});

describe.skipIf(noCorpus)("the corpus", () => {
  const TYPES = /^image\/(jpeg|png|webp|gif|tiff|avif|heic|heif|bmp)$/;
  const rows = ["exif", "orientation", "formats", "hostile", "broken"]
    .flatMap(corpusRows)
    .filter((row) => TYPES.test(row.true_type ?? ""));
  const located = rows.filter((row) => row.must?.includes("strip_gps"));

  const decoded = (file: Buffer): Promise<Buffer | null> =>
    sharp(file, { failOn: "error", limitInputPixels: 30_000_000 })
      .raw()
      .toBuffer()
      .catch(() => null);

  async function blankCopy(
    file: string,
    contentType: string,
  ): Promise<{ before: Buffer; after: Buffer; changed: boolean }> {
    const path = join(folder.path, "copy");
    const before = await readFile(corpusPath(file));
    await writeFile(path, before);
    const changed = await blankGpsInFile(path, contentType);
    return { before, after: await readFile(path), changed };
  }

  it.each(located.map((row) => [row.file, row.true_type ?? ""]))(
    "%s loses its position and nothing else",
    async (file, contentType) => {
      const { before, after } = await blankCopy(file, contentType);
      expect(await exifr.gps(after).catch(() => undefined)).toBeUndefined();
      expect(await positionSeen(after).catch(() => [])).toEqual([]);
      const options = { gps: false, xmp: true, iptc: true, icc: true, ifd1: true, mergeOutput: false, makerNote: true };
      const [tags, kept] = await Promise.all([before, after].map((bytes) => exifr.parse(bytes, options).catch(String)));
      expect(withoutPosition(kept)).toEqual(withoutPosition(tags));
      const pixels = await decoded(before);
      if (pixels) expect((await decoded(after))?.equals(pixels)).toBe(true);
    },
  );

  it("keeps every file's pixels and length, and shows no position in any", async () => {
    expect(located.length).toBeGreaterThan(10);
    for (const row of rows) {
      const { before, after, changed } = await blankCopy(row.file, row.true_type ?? "");
      expect(changed, row.file).toBe(!after.equals(before));
      const pixels = changed ? await decoded(before) : null;
      if (pixels) expect((await decoded(after))?.equals(pixels), row.file).toBe(true);
      expect(await positionSeen(after).catch(() => []), row.file).toEqual([]);
    }
  });

  it.each(["png-ztxt-bomb.png", "png-itxt-xmp-bomb.png"])("loses the bomb in %s", async (file) => {
    const { before, after } = await blankCopy(`hostile/${file}`, "image/png");
    expect(after.length).toBeLessThan(before.length / 10);
  });

  /** What exifr parsed without the properties named for a position, the one thing that may be gone. */
  function withoutPosition(tags: unknown): unknown {
    if (typeof tags !== "object" || tags === null || ArrayBuffer.isView(tags) || tags instanceof Date) return tags;
    if (Array.isArray(tags)) return tags.map(withoutPosition);
    const kept = Object.entries(tags)
      .filter(([name]) => !/gps|latitude|longitude/i.test(name))
      .map(([name, value]) => [name, withoutPosition(value)] as const);
    return Object.fromEntries(kept.filter(([, value]) => JSON.stringify(value) !== "{}"));
  }
});

describe("damaged files", () => {
  /** Numerical Recipes' generator: the same damage on every run. */
  function createRandom(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  const LANDMARKS = [
    "Exif\0\0",
    "II*\0",
    "MM\0*",
    "GPS",
    "\x25\x88",
    "\x88\x25",
    "Photoshop",
    "x:xmp",
    "eXIf",
    "EXIF",
    "iloc",
    "iinf",
  ];

  /** Changes, removes, adds or copies a few bytes near where metadata stands; the file's first bytes stay. */
  function damage(file: Buffer, random: (below: number) => number): Buffer {
    let bytes = Buffer.from(file);
    for (let hits = 1 + random(4); hits > 0; hits--) {
      const landmark = Math.max(0, bytes.indexOf(LANDMARKS[random(LANDMARKS.length)]!, 0, "latin1"));
      const at = Math.max(16, Math.min(bytes.length - 1, landmark + random(400) - 100));
      const kind = random(4);
      if (kind === 0) bytes[at] = random(256);
      else if (kind === 1) bytes[at] = [0, 1, 127, 255][random(4)]!;
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(4))]);
      else
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(at), at), bytes.subarray(at)]).subarray(
          0,
          file.length,
        );
    }
    return bytes;
  }

  async function subjects(): Promise<[string, Buffer][]> {
    const formats = ["jpeg", "png", "webp", "avif", "tiff"] as const;
    const made = await Promise.all(
      formats.map(async (format): Promise<[string, Buffer]> => [`image/${format}`, await sharpFile(format)]),
    );
    const real = [
      "exif/gps-datetime.jpg",
      "exif/datetimeoriginal-gps.jpg",
      "exif/exif_gps.jpg",
      "hostile/exif-script.jpg",
    ];
    const read = async (file: string): Promise<[string, Buffer]> => ["image/jpeg", await readFile(corpusPath(file))];
    return [...made, ["image/jpeg", await crowdedJpeg()], ...(noCorpus ? [] : await Promise.all(real.map(read)))];
  }

  it("are blanked without a throw, to the end in one go, and keep the pixels they have", {
    timeout: 300_000,
  }, async () => {
    const random = createRandom(20_261_122);
    const files = await subjects();
    let blanked = 0;
    for (let round = 0; round < 2000; round++) {
      const [contentType, file] = files[round % files.length]!;
      const bytes = damage(file, random);
      const path = await store(bytes);
      const changed = await blankGpsInFile(path, contentType);
      const after = await readFile(path);
      blanked += Number(changed);
      expect(await blankGpsInFile(path, contentType), `round ${round}`).toBe(false);
      expect(changed || after.equals(bytes), `round ${round}`).toBe(true);
      if (contentType !== "image/tiff") await expectSame(bytes, after, `round ${round}`);
    }
    expect(blanked).toBeGreaterThan(1500);
  });

  /** TIFF is left out: a strip that damage laid over a directory loses the pointer that stands in it. */
  async function expectSame(before: Buffer, after: Buffer, round: string): Promise<void> {
    const pixels = await sharp(before, { failOn: "error" })
      .raw()
      .toBuffer()
      .catch(() => null);
    if (!pixels) return;
    expect((await pixelsOf(after)).equals(pixels), round).toBe(true);
    expect(await positionSeen(after).catch(() => []), round).toEqual([]);
  }
});
