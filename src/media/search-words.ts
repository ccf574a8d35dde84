/**
 * Letters that are a base letter to those who look for them, but that Unicode does not take apart. The last is the
 * sigma at a word's end, which lower-casing makes of the usual one.
 */
const PLAIN: Readonly<Record<string, string>> = {
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ς: "σ",
};
const NOT_PLAIN = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");

/** Accents and joiners. Not what makes another syllable of a kana; marks of scripts that spell vowels so are no accents. */
const ACCENTS = /(?![\u3099\u309A])\p{Script=Inherited}/gu;

const RUNS = /[\p{L}\p{M}\p{N}\p{Extended_Pictographic}]+/gu;

/** Written without spaces between words, emoji among them. */
const UNSPACED =
  "[\\p{scx=Han}\\p{scx=Hiragana}\\p{scx=Katakana}\\p{scx=Thai}\\p{scx=Lao}\\p{scx=Khmer}\\p{scx=Myanmar}" +
  "\\p{Extended_Pictographic}]";
const STRETCHES = new RegExp(`${UNSPACED}+|(?:(?!${UNSPACED}).)+`, "gu");
const IS_UNSPACED = new RegExp(`^${UNSPACED}`, "u");

/** Where camera names and camel case begin another word: `IMG|2043`, `living|Room`. */
const SEAMS = /(?<=\p{Ll})(?=\p{Lu})|(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/gu;
/** So many parts of one word can be found; a string of nothing but seams would have a part a letter. */
const MAX_SEAMS = 8;

/** So many words of a query count, and the others are passed over: each costs a look into the index. */
const MAX_QUERY_WORDS = 24;

/**
 * The words by which texts are found, each once: lower-case, without accents, split at whatever is neither letter nor
 * digit. A word that is sewn together stands whole and from each seam on. Scripts without spaces are cut into
 * overlapping pairs, and the last character stands alone, so that every character begins a word.
 */
export function wordsOf(texts: readonly (string | null)[]): string[] {
  const words = texts
    .flatMap((text) => stretchesOf(text ?? ""))
    .flatMap((stretch) => {
      if (IS_UNSPACED.test(stretch)) return pairsOf(stretch);
      const seams = Array.from(stretch.matchAll(SEAMS), ({ index }) => index).slice(0, MAX_SEAMS);
      return [0, ...seams].map((from) => stretch.slice(from));
    });
  return [...new Set(words.map(fold))];
}

/**
 * The beginnings of words that a text must have to be found by this query, all of them; none where the query has no
 * letter and no digit. What another one implies is left out.
 */
export function queryWordsOf(query: string): string[] {
  const words = stretchesOf(query).flatMap((stretch) => {
    const pairs = IS_UNSPACED.test(stretch) ? pairsOf(stretch) : [stretch];
    return pairs.length > 1 ? pairs.slice(0, -1) : pairs;
  });
  const wanted = [...new Set(words.map(fold))];
  const implied = (word: string) => wanted.some((other) => other !== word && other.startsWith(word));
  return wanted.filter((word) => !implied(word)).slice(0, MAX_QUERY_WORDS);
}

function stretchesOf(text: string): string[] {
  const plain = text.normalize("NFKD").replace(ACCENTS, "").normalize("NFC");
  return (plain.match(RUNS) ?? []).flatMap((run) => run.match(STRETCHES) ?? []);
}

function pairsOf(stretch: string): string[] {
  const characters = Array.from(stretch);
  return characters.map((character, at) => character + (characters[at + 1] ?? ""));
}

/** Upper case first: it makes SS of ß and one letter of the Turkish two. */
function fold(word: string): string {
  const lower = word.toUpperCase().toLowerCase().replace(ACCENTS, "");
  return lower.replace(NOT_PLAIN, (letter) => PLAIN[letter] ?? letter);
}
