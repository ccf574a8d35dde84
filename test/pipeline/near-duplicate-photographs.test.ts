import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { hammingDistance } from "../../src/media/near-duplicates.js";
import { decodePicture } from "../../src/pipeline/decode-picture.js";
import { hashSourceSize, perceptualHash } from "../../src/pipeline/perceptual-hash.js";
import { readHeader } from "../../src/pipeline/picture-header.js";
import { corpusPath, noCorpus } from "../support/corpus.js";

/** A photograph or a version of one: which, and what it is to the one it was made of. */
type Photograph = { file: string; base: string; kind: string; hash: string | null; digest: string };

const rows = (): string[][] =>
  readFileSync(corpusPath("neardup/labels.csv"), "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));

async function readPhotograph([file = "", base = "", , kind = ""]: string[]): Promise<Photograph> {
  const path = corpusPath(`neardup/${file}`);
  const header = await readHeader(path);
  const hash = await perceptualHash(
    await decodePicture({ path, header, maxPixels: 200_000_000 }, hashSourceSize(header)),
  );
  return { file, base, kind, hash, digest: createHash("sha256").update(readFileSync(path)).digest("hex") };
}

describe.skipIf(noCorpus)("photographs and their versions", () => {
  const all: Photograph[] = [];
  const bases = new Map<string, Photograph>();
  beforeAll(async () => {
    // In this process, where sharp would otherwise use every core.
    sharp.concurrency(1);
    for (const row of rows()) all.push(await readPhotograph(row));
    for (const photograph of all) if (photograph.kind === "base") bases.set(photograph.base, photograph);
  });

  /** How far each of the kind lies from the photograph it was made of. */
  const distances = (kind: string): number[] =>
    all
      .filter((one) => one.kind === kind)
      .map((one) => hammingDistance(one.hash ?? "", bases.get(one.base)?.hash ?? ""));

  const shareWithin = (kind: string, bits: number): number => {
    const found = distances(kind);
    expect(found.length).toBeGreaterThan(5);
    return found.filter((distance) => distance <= bits).length / found.length;
  };

  it("that are the same bytes have the same digest and hash", () => {
    const copies = all.filter(({ kind }) => kind === "dup_exact");
    expect(copies.length).toBeGreaterThan(20);
    for (const { digest, hash, base } of copies)
      expect({ digest, hash }).toMatchObject({ digest: bases.get(base)?.digest, hash: bases.get(base)?.hash });
  });

  it("that were saved again, shrunk or marked are the same by 9 in 10 and similar by 99 in 100", () => {
    expect(shareWithin("dup_easy", 5)).toBeGreaterThanOrEqual(0.9);
    expect(shareWithin("dup_easy", 10)).toBeGreaterThanOrEqual(0.99);
  });

  it("that are mirrored or turned are no duplicates", () => {
    expect(shareWithin("policy_mirror", 10)).toBe(0);
    expect(shareWithin("policy_rot90", 10)).toBe(0);
  });

  it("of different scenes are never similar", () => {
    const scenes = all.filter(({ kind }) => ["base", "distinct", "dup_easy"].includes(kind));
    const near = scenes.flatMap((one, at) =>
      scenes
        .slice(at + 1)
        .filter((other) => other.base !== one.base && hammingDistance(one.hash ?? "", other.hash ?? "") <= 10)
        .map((other) => `${one.file} and ${other.file}`),
    );
    expect(scenes.length).toBeGreaterThan(300);
    expect(near).toEqual([]);
  });
});
