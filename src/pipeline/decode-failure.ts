import { MediaError } from "../media/errors.js";

/** What a decoder's message says about the file, in words that may be shown. The first row that fits counts. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/premature end|unexpected end|truncat|read error|not enough data|out of data/i, "it ends before the picture does"],
  [/unsupported image format/i, "it is not a picture that can be read"],
  [/corrupt header/i, "its header cannot be read"],
];
const ANY_REASON = "its pixels cannot be decoded";

/** Errors of this machine rather than of the file. */
const NOT_THE_FILE =
  /input file is missing|permission denied|too many open files|out of memory|no space left|unable to (open|write|create)/i;

/**
 * Runs one read of an uploaded picture. Whatever a decoder says against the file becomes CORRUPT_FILE, with the
 * decoder's error as its cause; errors of the machine pass as they are.
 */
export async function decoding<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (NOT_THE_FILE.test(message)) throw error;
    const reason = REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? ANY_REASON;
    throw new MediaError({ code: "CORRUPT_FILE", reason }, { cause: error });
  }
}
