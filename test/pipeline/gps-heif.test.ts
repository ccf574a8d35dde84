import exifr from "exifr";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { blankHeif } from "../../src/pipeline/gps-heif.js";
import { readHeifItems } from "../../src/pipeline/gps-heif-items.js";
import { readBoxes } from "../../src/pipeline/gps-isobmff.js";
import {
  box,
  camera,
  cameraWithoutGps,
  holdsSeconds,
  noise,
  pixelsOf,
  positionSeen,
  SHARP_EXIF,
  XMP_POSITION,
  XMP_WITH_GPS,
} from "./gps-material.js";

const uint = (value: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
};

type Item = { id: number; type: string; data: Buffer; content?: string };
/** `file`: the bytes lie in mdat. `idat`: in the meta box. `halves`: in mdat, in two extents with a byte between. */
type Placement = "file" | "idat" | "halves";

const PICTURE = Buffer.from('coded picture, not to be touched: exif:GPSLatitude="1" Exif\0\0II*\0\b\0\0\0', "latin1");
const exifItem = (id: number, block: Buffer): Item => ({
  id,
  type: "Exif",
  data: Buffer.concat([uint(6, 4), Buffer.from("Exif\0\0"), block]),
});
const xmpItem = (id: number, text: string): Item => ({
  id,
  type: "mime",
  data: Buffer.from(text),
  content: "application/rdf+xml\0",
});

/** A HEIF file with one item that claims to be a picture, and these. */
function heifWith(items: readonly Item[], placement: Placement = "file"): Buffer {
  const all: Item[] = [{ id: 1, type: "hvc1", data: PICTURE }, ...items];
  const gap = placement === "halves" ? 1 : 0;
  const head = Buffer.concat([box("ftyp", "heic\0\0\0\0mif1heic"), meta(0)]);
  return Buffer.concat([
    box("ftyp", "heic\0\0\0\0mif1heic"),
    meta(head.length + 8),
    placement === "idat" ? Buffer.alloc(0) : body(),
  ]);

  function meta(dataAt: number): Buffer {
    const infos = all.map((item) =>
      box("infe", uint(2 << 24, 4), uint(item.id, 2), uint(0, 2), item.type, "name\0", item.content ?? ""),
    );
    const inMeta = placement === "idat" ? [box("idat", ...all.map((item) => item.data))] : [];
    return box(
      "meta",
      uint(0, 4),
      box("hdlr", Buffer.alloc(24)),
      box("iinf", uint(0, 4), uint(all.length, 2), ...infos),
      locations(dataAt),
      ...inMeta,
    );
  }

  function locations(dataAt: number): Buffer {
    let at = placement === "idat" ? 0 : dataAt;
    const entries = all.map(({ id, data }) => {
      const half = placement === "halves" ? data.length >> 1 : data.length;
      const extents = [[at, half], ...(gap ? [[at + half + gap, data.length - half]] : [])];
      at += data.length + gap;
      const places = extents.map(([start, length]) => Buffer.concat([uint(start!, 4), uint(length!, 4)]));
      return Buffer.concat([
        uint(id, 2),
        uint(placement === "idat" ? 1 : 0, 2),
        uint(0, 2),
        uint(extents.length, 2),
        ...places,
      ]);
    });
    return box("iloc", uint(1 << 24, 4), uint(0x4400, 2), uint(all.length, 2), ...entries);
  }

  function body(): Buffer {
    return box(
      "mdat",
      ...all.flatMap(({ data }) => {
        const half = gap ? data.length >> 1 : data.length;
        return [data.subarray(0, half), Buffer.alloc(gap, 0x2d), data.subarray(half)];
      }),
    );
  }
}

function expectBlanked(file: Buffer): Buffer {
  const { length } = file;
  const after = blankHeif(file);
  if (!after) throw new Error("nothing was blanked");
  expect(after.length).toBe(length);
  expect(holdsSeconds(after)).toBe(false);
  expect(after.includes(XMP_POSITION)).toBe(false);
  expect(blankHeif(Buffer.from(after))).toBeNull();
  return after;
}

describe("an AVIF file written by sharp", () => {
  it("loses EXIF and XMP position and keeps the rest, pixels above all", async () => {
    const file = await noise()
      .withExif(SHARP_EXIF)
      .withXmp(XMP_WITH_GPS)
      .withIccProfile("p3")
      .avif({ effort: 0 })
      .toBuffer();
    const [metadata, pixels] = [await sharp(file).metadata(), await pixelsOf(file)];
    const after = expectBlanked(file);
    const kept = await sharp(after).metadata();
    const tags = (exif: Buffer | undefined) => exifr.parse(exif!.subarray("Exif\0\0".length), { gps: true });
    expect((await pixelsOf(after)).equals(pixels)).toBe(true);
    expect(kept.icc?.equals(metadata.icc!)).toBe(true);
    expect(kept.xmp?.toString()).toContain(`tiff:Make="Acme"`);
    expect(await tags(kept.exif)).toMatchObject({ Make: "Acme Cameras", LensModel: "A long lens" });
    expect(await positionSeen(kept.exif!.subarray("Exif\0\0".length))).toEqual([]);
  });
});

describe("a HEIF file", () => {
  it.each(["file", "idat", "halves"] as const)(
    "loses the position of its EXIF and XMP items, which lie in: %s",
    (placement) => {
      const file = heifWith([exifItem(2, camera("MM")), xmpItem(3, XMP_WITH_GPS)], placement);
      const clean = heifWith([exifItem(2, camera("MM"))], placement);
      expect(holdsSeconds(clean) || placement === "halves").toBe(true);
      const after = expectBlanked(file);
      const meta = readBoxes(after, 0, after.length).find(({ type }) => type === "meta")!;
      const [picture, exif, xmp] = readHeifItems(after, meta).map(({ extents }) =>
        Buffer.concat(extents.map(({ start, end }) => after.subarray(start, end))),
      );
      expect(picture?.equals(PICTURE)).toBe(true);
      expect(holdsSeconds(exif!)).toBe(false);
      expect(exif?.includes("Acme Cameras")).toBe(true);
      expect(xmp?.toString()).toContain(`tiff:Make="Acme"`);
      expect(xmp?.includes("GPSLatitude")).toBe(false);
    },
  );

  it("loses nothing but the position of its EXIF", async () => {
    const after = expectBlanked(heifWith([exifItem(2, camera("II"))]));
    const block = after.subarray(after.lastIndexOf("Exif\0\0") + 6);
    expect(await exifr.parse(block)).toEqual(await exifr.parse(cameraWithoutGps("II")));
  });

  it("loses the position of EXIF with no header of its own", () => {
    const bare = { id: 2, type: "Exif", data: Buffer.concat([uint(0, 4), camera("MM")]) };
    expectBlanked(heifWith([bare]));
  });

  it("loses the position of a movie in or behind it", () => {
    const place = box("moov", box("udta", box("\xa9xyz", "\0\x0f\x15\xc7+51.5090+007.1455/")));
    const movie = Buffer.concat([box("ftyp", "mp42\0\0\0\0mp42"), place]);
    for (const addition of [box("mpvd", movie), movie, place]) {
      const after = expectBlanked(Buffer.concat([heifWith([]), addition]));
      expect(after.includes("51.5090")).toBe(false);
      expect(after.includes(PICTURE)).toBe(true);
    }
  });

  it("loses XMP in a box of its own", () => {
    expectBlanked(Buffer.concat([heifWith([]), box("uuid", Buffer.alloc(16, 7), XMP_WITH_GPS)]));
  });

  it("without a position is left as it is, whatever its picture looks like", () => {
    const file = heifWith([exifItem(2, cameraWithoutGps("MM"))]);
    const before = Buffer.from(file);
    expect(blankHeif(file)).toBeNull();
    expect(file.equals(before)).toBe(true);
  });

  it("may be cut anywhere", () => {
    const whole = heifWith([exifItem(2, camera("MM")), xmpItem(3, XMP_WITH_GPS)]);
    for (let length = 0; length < whole.length; length += 5) {
      const cut = Buffer.from(whole.subarray(0, length));
      blankHeif(cut);
      expect(blankHeif(cut)).toBeNull();
    }
  });

  it("may have any byte of its boxes wrong", () => {
    const whole = heifWith([exifItem(2, camera("MM")), xmpItem(3, XMP_WITH_GPS)], "halves");
    const mediaAt = whole.indexOf("mdat");
    for (let at = 0; at < mediaAt; at++)
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = Buffer.from(whole);
        damaged[at] = value;
        blankHeif(damaged);
        expect(blankHeif(damaged)).toBeNull();
      }
  });
});
