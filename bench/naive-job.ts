import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import phash from "sharp-phash";
import { VARIANTS } from "../src/media/variants.js";

/** sharp-phash is a CommonJS function whose declarations promise a default export. */
const hashPicture = phash as unknown as typeof phash.default;

/**
 * What is written first when nobody looks at the time: the header, the hash, and each variant by a call of its own from
 * the file, all at once. Sizes and encoder settings are the product's, so that the files are alike.
 */
export async function naiveJob(path: string, folder: string): Promise<Record<string, unknown>> {
  await mkdir(folder, { recursive: true });
  const variants = Object.entries(VARIANTS).map(([name, { width, height, fit, quality }]) =>
    sharp(path)
      .autoOrient()
      .resize(width, height, { fit, withoutEnlargement: true })
      .jpeg({ quality, progressive: true })
      .toFile(join(folder, `${name}.jpg`)),
  );
  const [{ width, height }, hash, ...written] = await Promise.all([
    sharp(path).metadata(),
    hashPicture(path),
    ...variants,
  ]);
  return { width, height, hash, variants: written };
}
