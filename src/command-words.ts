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
