import { readFile } from "node:fs/promises";
import exifr from "exifr";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CorpusRow, corpusPath, corpusRows, noCorpus } from "../support/corpus.js";
import { greyDifference, quarters } from "../support/pictures.js";
import { type Answer, startTestServer, type TestServer, type UploadResult } from "../support/server.js";

type Media = UploadResult["media"];
/** The limits of this system, which rule where the manifest assumes others. */
const MIN_SIDE = 50;
const MAX_SIDE = 16384;

/** What the manifest says must happen, where the limits of this system do not say otherwise first. */
function expectedOutcome({ expect: said, special, w, h }: CorpusRow): "ACCEPT" | "REJECT" | "EITHER" {
  const sides = [Number(w), Number(h)];
  const isWithin = Math.min(...sides) >= MIN_SIDE && Math.max(...sides) <= MAX_SIDE;
  if (said === "ACCEPT" && !isWithin) return "REJECT";
  if (special?.includes("if another limit is set, apply that")) return isWithin ? "ACCEPT" : "REJECT";
  return said as "ACCEPT" | "REJECT" | "EITHER";
}

const wordsOf = (row: CorpusRow): string[] => (row.must ?? "").split(";");

describe.skipIf(noCorpus)("real and odd pictures", () => {
  let server: TestServer;
  let token: string;

  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  });
  afterAll(() => server.stop());

  const post = (bytes: Uint8Array, name: string) =>
    server.post("/v1/media/builders/BLD-1/portfolio", token, [["file", [bytes, name]]]);
  const upload = async ({ file }: CorpusRow) =>
    post(await readFile(corpusPath(file)), file.slice(file.lastIndexOf("/") + 1));

  /** Read to its end: a body nobody reads holds the server up when it is told to stop. */
  async function fetchFile(url: string): Promise<{ headers: Headers; bytes: Buffer }> {
    const response = await fetch(url);
    expect(response.status).toBe(200);
    return { headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
  }
  const bytesOf = async (url: string): Promise<Buffer> => (await fetchFile(url)).bytes;

  async function expectStripped(media: Media): Promise<void> {
    expect(JSON.stringify(media.metadata)).not.toMatch(/gps|latitude|longitude/i);
    for (const url of [media.originalUrl, ...media.variants.map((v) => v.url)])
      expect(await exifr.gps(await bytesOf(url)).catch(() => undefined)).toBeUndefined();
    for (const { url } of media.variants) {
      const { exif, xmp, orientation } = await sharp(await bytesOf(url)).metadata();
      expect([exif, xmp, orientation]).toEqual([undefined, undefined, undefined]);
    }
  }

  function expectExif({ metadata }: Media, row: CorpusRow): void {
    const exif = (metadata.exif ?? {}) as Record<string, string>;
    if (row.exif_make) expect(exif.make).toBe(row.exif_make.trim());
    if (row.exif_model) expect(exif.model).toBe(row.exif_model.trim());
  }

  async function expectUpright(media: Media, row: CorpusRow): Promise<void> {
    const reference = /upright:([^;]+)/.exec(row.must ?? "")?.[1];
    if (!reference) return;
    const folder = row.file.slice(0, row.file.lastIndexOf("/"));
    for (const { url, name } of media.variants.filter((v) => v.name !== "thumbnail"))
      expect(await greyDifference(await bytesOf(url), corpusPath(`${folder}/${reference}`)), name).toBeLessThan(4);
  }

  const hasOutcome = (answer: Answer<unknown>, outcome: string): void => {
    expect(answer.status).toBeLessThan(500);
    if (outcome === "ACCEPT") expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    if (outcome === "REJECT") expect(answer.status).toBeGreaterThanOrEqual(400);
    if (answer.status !== 201) expect(answer.body).toMatchObject({ code: expect.stringMatching(/^[A-Z_]+$/) });
  };

  /** Uploads; what was refused must have left nothing. Null where it was refused. */
  async function take(row: CorpusRow): Promise<Media | null> {
    const before = await server.files();
    const answer = await upload(row);
    hasOutcome(answer, expectedOutcome(row));
    const after = await server.files();
    expect(after.spooled).toEqual(before.spooled);
    if (answer.status === 201) return answer.body.media;
    expect(after).toEqual(before);
    return null;
  }

  it.each(["exif", "orientation"].flatMap(corpusRows))("$file: $expect", async (row) => {
    const media = await take(row);
    if (!media) return;
    if (row.must?.includes("dims")) expect([media.width, media.height]).toEqual([Number(row.w), Number(row.h)]);
    expectExif(media, row);
    await expectStripped(media);
    await expectUpright(media, row);
  });

  it("one picture in all its orientations is one picture", async () => {
    const rows = corpusRows("orientation").filter((row) => row.must?.includes("same_phash_family"));
    const hashes = await Promise.all(rows.map(async (row) => (await upload(row)).body.media.imageHash as string));
    const distances = hashes.map((hash) => Array.from(hash).filter((bit, at) => bit !== hashes[0]?.[at]).length);
    expect(rows.length).toBeGreaterThan(5);
    expect(Math.max(...distances)).toBeLessThanOrEqual(5);
  });

  /** Mean difference of a channel between each variant that is no crop and sharp's own conversion to sRGB. */
  async function expectColours(media: Media, row: CorpusRow): Promise<void> {
    const whole = media.variants.filter(({ name }) => name !== "thumbnail");
    expect(whole.length).toBeGreaterThan(0);
    for (const { url } of whole) {
      const bytes = await bytesOf(url);
      expect((await sharp(bytes).metadata()).space).toBe("srgb");
      expect(await colourDifference(bytes, await readFile(corpusPath(row.file)))).toBeLessThan(4);
    }
  }

  async function expectFrames(media: Media, count: number): Promise<void> {
    for (const { url, width, height } of media.variants) {
      const { pages = 1, pageHeight, ...size } = await sharp(await bytesOf(url)).metadata();
      expect([pages, size.width, pageHeight ?? size.height]).toEqual([count, width, height]);
    }
  }

  async function expectHarmless(url: string): Promise<void> {
    const { headers } = await fetchFile(url);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("content-security-policy")).toContain("sandbox");
    expect(headers.get("content-type")).toMatch(/^image\/(jpeg|png|gif|webp|avif|tiff|bmp|heic|heif)$/);
  }

  /** One check for each word of the manifest that speaks of what was accepted; the rest is true of every upload. */
  const CHECKS: Record<string, (media: Media, row: CorpusRow, detail: string) => unknown> = {
    dims: (media, row) => expect([media.width, media.height]).toEqual([Number(row.w), Number(row.h)]),
    type: (media, _row, type) => expect(media.contentType).toBe(type),
    frames: async (media, row, given) =>
      expectFrames(media, Number(given || (await sharp(corpusPath(row.file)).metadata()).pages || 1)),
    strip_gps: (media) => expectStripped(media),
    variants_rgb: expectColours,
    variants_srgb: expectColours,
    alpha_ok: async (media) => {
      for (const { url } of media.variants) {
        const bytes = await bytesOf(url);
        expect([(await sharp(bytes).metadata()).hasAlpha, (await sharp(bytes).stats()).isOpaque]).toEqual([
          true,
          false,
        ]);
      }
    },
    no_marker_in_variants: async (media, _row, marker) => {
      for (const { url } of media.variants) expect((await bytesOf(url)).includes(marker)).toBe(false);
    },
    nosniff: (media) => expectHarmless(media.originalUrl),
    date_null_or_absent: ({ metadata }) =>
      expect((metadata.exif as Record<string, unknown> | undefined)?.dateTimeOriginal ?? null).toBeNull(),
    valid_json: (media) => expect(JSON.stringify(media)).not.toMatch(/\\u00[01]|\\[nr]/),
    no_header_injection: async (media) => {
      const { headers } = await fetchFile(media.originalUrl);
      expect([...headers.values()].join()).not.toMatch(/[\r\n]|injected/i);
    },
    json_escaped: (media) => expect(JSON.parse(JSON.stringify(media))).toEqual(media),
    exif: expectExif,
    variants4: ({ variants }) => expect(variants).toHaveLength(4),
    variants_upright: (media) => expect(media.variants.every((v) => v.width >= v.height)).toBe(true),
    variants_small: (media) => expect(media.variants.every((v) => v.fileSize < 200_000)).toBe(true),
    kind: (media) => expect(media.mediaType).toBe("IMAGE"),
  };
  /** True of every upload here, or of what is refused, or of what this system never does. */
  const ELSEWHERE = /^(4xx|no5xx|bounded|server_alive|nothing_stored|no_file_read|no_outgoing_request|\(if SVG)/;

  it.each(["formats", "broken", "hostile"].flatMap(corpusRows))("$file: $expect", async (row) => {
    const media = await take(row);
    if (media) {
      // A variant that would enlarge the picture is not made, and the smallest is 150 pixels wide and high.
      const isLarge = Math.min(media.width ?? 0, media.height ?? 0) >= 150;
      if (isLarge) expect(media.variants.length).toBeGreaterThan(0);
      await expectHarmless(media.originalUrl);
      for (const word of wordsOf(row).filter((each) => each !== "" && !ELSEWHERE.test(each))) {
        const [name = "", ...detail] = word.replace(/^if_accept_/, "").split(":");
        expect(CHECKS, `the manifest's word ${name} has a check`).toHaveProperty(name);
        await CHECKS[name]?.(media, row, detail.join(":"));
      }
    }
    const next = await post(await quarters(60, 60).png().toBuffer(), "next.png");
    expect(next.status).toBe(201);
  });
});

/** Mean difference of the channels of 32 x 32 pixels, transparent parts on white. */
async function colourDifference(picture: Buffer, reference: Buffer): Promise<number> {
  const coloursOf = (bytes: Buffer) =>
    sharp(bytes)
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .resize(32, 32, { fit: "fill" })
      .removeAlpha()
      .raw()
      .toBuffer();
  const [one, other] = [await coloursOf(picture), await coloursOf(reference)];
  return one.reduce((sum, value, at) => sum + Math.abs(value - (other[at] ?? 0)), 0) / one.length;
}

describe.skipIf(noCorpus)("copies of pictures", () => {
  let server: TestServer;
  let token: string;
  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
  });
  afterAll(() => server.stop());

  /** The bases in an entity of their own, then the others; what the upload of each reports, by name. */
  type Label = { file: string; base: string; transform: string; kind: string };
  async function labels(): Promise<Label[]> {
    const lines = (await readFile(corpusPath("neardup/labels.csv"), "utf8")).trim().split("\n").slice(1);
    return lines.map((line) => {
      const [file = "", base = "", transform = "", kind = ""] = line.split(",");
      return { file, base, transform, kind };
    });
  }

  const send = async (entity: string, { file }: Pick<Label, "file">) => {
    const parts = [["file", [await readFile(corpusPath(`neardup/${file}`)), file]]] as const;
    const answer = await server.post(`/v1/media/builders/${entity}/portfolio`, token, parts);
    expect(answer.status, file).toBe(201);
    return answer.body;
  };

  it("are reported at upload where they are copies, and pictures of their own are not", async () => {
    await server.entity("builder", "BLD-COPIES", { ownerId: "USR-1" });
    const all = await labels();
    const bases = all.filter(({ kind }) => kind === "base").slice(0, 6);
    const idOf = new Map<string, string>();
    for (const base of bases) {
      const { media, duplicates } = await send("BLD-COPIES", base);
      expect(duplicates, base.file).toEqual([]);
      idOf.set(base.base, media.publicId);
    }
    const isSampled = ({ base, transform }: Label) =>
      idOf.has(base) && ["exactcopy", "comment", "jpeg_q35", "half"].includes(transform);
    const copies = all.filter((label) => isSampled(label) && /^dup_(exact|easy)$/.test(label.kind));
    expect(copies.length).toBeGreaterThan(12);
    for (const copy of copies) {
      const { duplicates } = await send("BLD-COPIES", copy);
      const found = duplicates.find(({ publicId }) => publicId === idOf.get(copy.base));
      expect(found?.tier, copy.file).toBe(copy.kind === "dup_exact" ? "exact" : "same");
    }
  }, 120_000);

  it("are not found among pictures that are different", async () => {
    await server.entity("builder", "BLD-DISTINCT", { ownerId: "USR-1" });
    const distinct = (await labels()).filter(({ kind }) => kind === "distinct").slice(0, 20);
    expect(distinct.length).toBeGreaterThan(0);
    for (const picture of distinct) expect((await send("BLD-DISTINCT", picture)).duplicates, picture.file).toEqual([]);
  }, 120_000);
});
