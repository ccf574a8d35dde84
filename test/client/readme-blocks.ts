import { readFileSync } from "node:fs";

const README = readFileSync(new URL("../../client/README.md", import.meta.url), "utf8");

/** The code of the client's page in one language, in order. */
export const readmeBlocks = (language: string): string[] =>
  [...README.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = ""]) => (of === language ? [text] : []));
