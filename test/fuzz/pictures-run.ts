/**
 * Mutated pictures through the line of an upload: `npm run fuzz:pictures -- --seed 1 --count 50000 --minutes 10`.
 * Ends at whichever comes first, and with 1 where something was found. See docs/fuzzing.md.
 */
import { existsSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fuzzPictures, type PictureReport } from "./fuzz-pictures.js";
import { mib, renderFindings, renderOutcomes, renderResources } from "./render-report.js";
import { makeSeedPictures, readSeedFolder } from "./seed-pictures.js";
import { wholeNumber } from "./whole-number.js";

const BESIDE = fileURLToPath(new URL("../../../shared/corpora/", import.meta.url));
const CORPUS_FOLDERS = ["formats", "exif", "orientation", "broken", "hostile"];

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "50000" },
    minutes: { type: "string", default: "10" },
    processes: { type: "string", default: String(availableParallelism()) },
    corpora: { type: "string" },
    findings: { type: "string" },
  },
});
const seed = wholeNumber(options, "seed");
const findingsFolder = options.findings ?? join(tmpdir(), `fuzz-pictures-${seed}`);
const corpora = options.corpora ?? (existsSync(BESIDE) ? BESIDE : null);
const folders = corpora ? CORPUS_FOLDERS.map((folder) => join(corpora, folder)).filter((path) => existsSync(path)) : [];
const pictures = [...(await makeSeedPictures()), ...folders.flatMap(readSeedFolder)];
print(`seed ${seed}, ${pictures.length} pictures to begin with, findings go to ${findingsFolder}`);

const report = await fuzzPictures({
  seed,
  from: wholeNumber(options, "from"),
  count: wholeNumber(options, "count"),
  milliseconds: wholeNumber(options, "minutes") * 60_000,
  processes: wholeNumber(options, "processes"),
  pictures,
  findingsFolder,
  tell: print,
});
print(render(report));
process.exit(report.findings.length > 0 ? 1 : 0);

function render({ pixelProcesses, ...report }: PictureReport): string {
  const { started, crashed, overdue, peakBytes, left } = pixelProcesses;
  return [
    ...renderOutcomes(report),
    `pixel processes: ${started} started, ${crashed} crashed, ${overdue} ended, ${left} left, largest ${mib(peakBytes)}`,
    ...renderResources(report),
    ...renderFindings(report.findings),
  ].join("\n");
}
