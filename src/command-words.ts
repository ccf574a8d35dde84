import { type ParseArgsConfig, parseArgs } from "node:util";

/** Says in one line what is wrong with the words of a command. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * The options among a command's words, and the words that are none where it takes such. Throws UsageError for what the
 * command does not know.
 */
export function readWords<O extends NonNullable<ParseArgsConfig["options"]>>(
  words: readonly string[],
  options: O,
  { allowPositionals = false } = {},
) {
  try {
    return parseArgs({ args: [...words], options, allowPositionals });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The whole number an option is given. Throws UsageError for anything else. */
export function wholeNumber(name: string, word: string, min: number, max = 999_999_999): number {
  if (/^\d{1,9}$/.test(word) && Number(word) >= min && Number(word) <= max) return Number(word);
  const range = max === 999_999_999 ? `from ${min} on` : `from ${min} to ${max}`;
  throw new UsageError(`${name} must be a whole number ${range}`);
}
