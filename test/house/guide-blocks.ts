import { readFileSync } from "node:fs";

export const readGuide = (name: string): string =>
  readFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url), "utf8");

/** The code of a page in one language, in order. */
export const blocksOf = (markdown: string, language: string): string[] =>
  [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = ""]) =>
    of === language ? [text] : [],
  );

/** What the commands say they answer: `# 201` at the end of a line. */
export const statusesIn = (commands: string): number[] =>
  [...commands.matchAll(/ # (\d{3})$/gm)].map(([, status]) => Number(status));

/** Of code in any language: what it sends where. Interpolated parts of an address stand as `{}`. */
export function wireNamesIn(code: string): { paths: string[]; headers: string[]; fields: string[] } {
  const all = (...patterns: RegExp[]): string[] =>
    patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name = ""]) => name));
  const addresses = code.replaceAll(/\\\(\w+\)|\$\w+/g, "{}");
  return {
    paths: [...addresses.matchAll(/\/v1\/[\w{}/-]+/g)].map(([path]) => path),
    headers: all(/\.header\("([^"]+)"/g, /forHTTPHeaderField: "([^"]+)"/g),
    fields: all(/addFormDataPart\("(\w+)"/g, /head\)\\"(\w+)\\"/g),
  };
}
