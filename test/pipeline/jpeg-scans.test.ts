import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countScans, hasOneScan } from "../../src/pipeline/jpeg-scans.js";
import { inspectPicture } from "../../src/pipeline/picture-header.js";
import { flatJpegOfScans } from "../support/hostile-pictures.js";
import { scenery } from "../support/pictures.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";

describe("the scans of a JPEG", () => {
  it("are one where it is not progressive", async () => {
    expect(countScans(await scenery(200, 150).jpeg().toBuffer())).toBe(1);
  });

  it("are a handful where a program wrote it", async () => {
    const scans = countScans(await scenery(200, 150).jpeg({ progressive: true }).toBuffer());
    expect(scans).toBeGreaterThan(1);
    expect(scans).toBeLessThanOrEqual(10);
  });

  it("behind one that holds all of a picture that is not progressive are none of it", async () => {
    const plain = await scenery(200, 150).jpeg().toBuffer();
    const rest = flatJpegOfScans(64, 50);
    const scansAlone = rest.subarray(rest.indexOf(Buffer.from([0xff, 0xda])));
    const joined = Buffer.concat([plain.subarray(0, -2), scansAlone]);
    expect([hasOneScan(joined), countScans(joined)]).toEqual([true, 51]);
    expect((await sharp(joined, { failOn: "none" }).stats()).channels).toHaveLength(3);
  });

  it("are counted where the first holds a part of a picture that is not progressive", () => {
    const parts = flatJpegOfScans(64, 50);
    parts[parts.indexOf(Buffer.from([0xff, 0xc2])) + 1] = 0xc0;
    parts[parts.indexOf(Buffer.from([0xff, 0xc0])) + 9] = 3;
    expect([hasOneScan(parts), countScans(parts)]).toEqual([false, 50]);
  });

  it("are not told to be one by a head that ends before the first, or of a progressive picture", async () => {
    const plain = await scenery(200, 150).jpeg().toBuffer();
    const scan = plain.indexOf(Buffer.from([0xff, 0xda]));
    expect([hasOneScan(plain), hasOneScan(plain.subarray(0, scan)), hasOneScan(plain.subarray(0, scan + 4))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(hasOneScan(await scenery(200, 150).jpeg({ progressive: true }).toBuffer())).toBe(false);
  });

  it("are told from restart marks, and from the thumbnail in its EXIF", async () => {
    const plain = await scenery(200, 150).jpeg().toBuffer();
    const thumbnail = Buffer.concat([Buffer.from("Exif\0\0"), flatJpegOfScans(64, 50)]);
    const segment = Buffer.from([0xff, 0xe1, (thumbnail.length + 2) >> 8, (thumbnail.length + 2) & 0xff]);
    expect(countScans(Buffer.concat([plain.subarray(0, 2), segment, thumbnail, plain.subarray(2)]))).toBe(1);
  });

  it("of what stands behind the picture are not counted", async () => {
    const plain = await scenery(200, 150).jpeg().toBuffer();
    expect(countScans(Buffer.concat([plain, flatJpegOfScans(64, 50)]))).toBe(1);
  });

  it.each(["", "\xff", "\xff\xd8", "\xff\xd8\xff", "\xff\xd8\xff\xda", "\xff\xd8\xff\xe0\0", "\xff\xd8\xff\xff\xff"])(
    "of a file that ends at once (%j) are counted as far as they go",
    (bytes) => {
      expect(countScans(Buffer.from(bytes, "latin1"))).toBeLessThanOrEqual(1);
    },
  );

  it("are all counted up to one more than the limit", () => {
    expect(countScans(flatJpegOfScans(64, 40))).toBe(40);
    expect(countScans(flatJpegOfScans(64, 1000))).toBe(101);
  });
});

describe("a JPEG made to keep its decoder busy", () => {
  let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
  beforeAll(async () => {
    folder = await makeTemporaryFolder();
  });
  afterAll(() => folder.remove());

  async function inspect(scans: number) {
    const path = join(folder.path, `${scans}.jpg`);
    await writeFile(path, flatJpegOfScans(64, scans));
    return inspectPicture(path, "image/jpeg");
  }

  it("is one that sharp would take", async () => {
    expect(await sharp(flatJpegOfScans(64, 101), { failOn: "error" }).stats()).toMatchObject({ isOpaque: true });
  });

  it("is refused by its number of scans", async () => {
    await expect(inspect(101)).rejects.toMatchObject({ failure: { code: "CORRUPT_FILE" } });
    expect(await inspect(100)).toMatchObject({ width: 64, height: 64, frames: 1 });
  });
});
