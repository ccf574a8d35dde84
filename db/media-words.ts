import type { MediaSearchQuery } from "../src/media/ports.js";
import { queryWordsOf, wordsOf } from "../src/media/search-words.js";
import type { Term } from "./dialect.js";
import type { MediaRow } from "./media-row.js";
import { sha256Of } from "./sha-256.js";

// The words as both full-text indexes take them for what they are: ASCII letters and digits only, so that neither has
// an opinion on where a word ends; two letters before each, so that none is too short for InnoDB (3) or a stopword.
const WORD = "zw";
const TAG = "zt";

/** InnoDB leaves out words of more than 84. */
const MAX_ENCODED = 80;
/** 128 bits. */
const TAG_DIGITS = 32;

type Described = Pick<MediaRow, "altText" | "caption" | "originalFilename"> & { tags: readonly string[] };

/** What an item is found by, for `media_search.words`: each word between spaces. */
export async function documentOf({ altText, caption, originalFilename, tags }: Described): Promise<string> {
  const words = wordsOf([altText, caption, originalFilename]).map((word) => WORD + encode(word));
  const tokens = [...new Set([...words, ...(await Promise.all(tags.map(tagToken)))])];
  return ` ${tokens.join(" ")} `;
}

/** What a search wants to stand in `media_search.words`; null where it asks for neither words nor a tag. */
export async function termsOf({ text, tag }: Pick<MediaSearchQuery, "text" | "tag">): Promise<readonly Term[] | null> {
  if (text === undefined && tag === undefined) return null;
  const words = queryWordsOf(text ?? "").map((word) => ({ token: WORD + encode(word), isPrefix: true }));
  return tag === undefined ? words : [...words, { token: await tagToken(tag), isPrefix: false }];
}

/** Tags are found whole, and may be longer than a word of the index. */
const tagToken = async (tag: string) => TAG + (await sha256Of(tag)).slice(0, TAG_DIGITS);

/**
 * A word in `[a-z0-9]`. One begins another exactly when their codes do, since no character's code begins another's. Of
 * words that get too long the beginning stands.
 */
function encode(word: string): string {
  let code = "";
  for (const character of word) {
    const next = code + codeOf(character);
    if (next.length > MAX_ENCODED) break;
    code = next;
  }
  return code;
}

/** `q` says that another letter is meant: itself, or the one whose number follows in base 36, which is below `o000`. */
function codeOf(character: string): string {
  if (character === "q") return "qq";
  if (/[a-z0-9]/.test(character)) return character;
  return `q${(character.codePointAt(0) ?? 0).toString(36).padStart(4, "0")}`;
}
