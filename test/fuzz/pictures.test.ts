import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sniffContentType } from "../../src/media/content-type.js";
import { DECODABLE_TYPES } from "../../src/pipeline/decodable-types.js";
import { makeTemporaryFolder } from "../support/temporary-folder.js";
import { createDice } from "./dice.js";
import { fuzzPictures } from "./fuzz-pictures.js";
import { mutatePicture } from "./mutate-picture.js";
import { findStructure } from "./picture-structure.js";
import { makeSeedPictures } from "./seed-pictures.js";

/** The long run is `npm run fuzz:pictures`. */
const CASES = 100;

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
let pictures: Buffer[];
beforeAll(async () => {
  folder = await makeTemporaryFolder();
  pictures = await makeSeedPictures();
});
afterAll(() => folder.remove());

describe("mutated pictures", () => {
  it("are stored whole or refused with a code of their own, and leave nothing", async () => {
    const findingsFolder = join(folder.path, "findings");
    const run = { seed: 20, from: 0, count: CASES, milliseconds: 60_000, processes: 1, pictures, findingsFolder };
    const { cases, findings, outcomes, pixelProcesses } = await fuzzPictures(run);
    expect(findings).toEqual([]);
    expect([cases, pixelProcesses.left]).toEqual([CASES, 0]);
    expect([...outcomes.keys()]).toEqual(expect.arrayContaining(["stored", "CORRUPT_FILE"]));
  }, 90_000);

  it("come out the same for the same seed, and differ from case to case", () => {
    const make = (number: number) => mutatePicture(pictures[0] as Buffer, createDice(3, number), pictures);
    expect(make(1).equals(make(1))).toBe(true);
    expect(new Set(Array.from({ length: 20 }, (_, number) => make(number).toString("latin1"))).size).toBeGreaterThan(
      15,
    );
  });

  it("leave the picture they were made from as it was", () => {
    const before = pictures.map((picture) => picture.toString("latin1"));
    for (let number = 0; number < 200; number++) {
      const dice = createDice(4, number);
      mutatePicture(dice.pick(pictures), dice, pictures);
    }
    expect(pictures.map((picture) => picture.toString("latin1"))).toEqual(before);
  });
});

describe("what pictures are made of", () => {
  it("begins with every type that is taken", () => {
    const types = new Set(pictures.map((picture) => sniffContentType(picture)));
    expect(DECODABLE_TYPES.filter((type) => !types.has(type))).toEqual(["image/heif"]);
  });

  it("is found in each of them, within the file", () => {
    for (const picture of pictures) {
      const { pieces, numbers } = findStructure(picture);
      const what = `${sniffContentType(picture)} of ${picture.length} bytes`;
      expect(numbers.length, what).toBeGreaterThan(5);
      if (sniffContentType(picture) !== "image/bmp") expect(pieces.length, what).toBeGreaterThan(0);
      for (const { start, end } of pieces) expect(end > start && end <= picture.length).toBe(true);
    }
  });

  it("is nothing in what is no picture", () => {
    expect(findStructure(Buffer.from("plain text"))).toEqual({ pieces: [], numbers: [] });
    expect(findStructure(Buffer.alloc(0))).toEqual({ pieces: [], numbers: [] });
  });
});
