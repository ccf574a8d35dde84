import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A folder of test material beside the checkout; `MANIFEST.csv` in it says of every file what is true of it. */
const ROOT = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));

export type CorpusRow = Readonly<Record<string, string>> & { readonly file: string; readonly category: string };

/** For `describe.skipIf`: the material is not part of the repository. */
export const noCorpus = Boolean(process.env.CI) || !existsSync(`${ROOT}MANIFEST.csv`);

export const corpusPath = (file: string): string => ROOT + file;

/** The manifest's rows of one folder; none where there is no corpus. */
export function corpusRows(category: string): CorpusRow[] {
  if (noCorpus) return [];
  const [header = [], ...lines] = readFileSync(corpusPath("MANIFEST.csv"), "utf8")
    .split("\n")
    .filter(Boolean)
    .map(cells);
  const rows = lines.map((line) => Object.fromEntries(header.map((name, at) => [name, line[at] ?? ""])) as CorpusRow);
  return rows.filter((row) => row.category === category);
}

/** Of one CSV line, where cells with commas stand in double quotes and no cell holds a line break. */
const cells = (line: string): string[] =>
  [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) =>
    quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
  );
