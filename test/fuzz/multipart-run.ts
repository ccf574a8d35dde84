/**
 * Damaged forms through the reader of forms, and one of a thousand to a whole server:
 * `npm run fuzz:multipart -- --seed 1 --count 1000000 --minutes 10`. Ends at whichever comes first, and with 1 where
 * something was found. See docs/fuzzing.md.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openFormServer } from "./form-server.js";
import { fuzzMultipart } from "./fuzz-multipart.js";
import { renderFindings, renderOutcomes, renderResources } from "./render-report.js";
import { wholeNumber } from "./whole-number.js";

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
    count: { type: "string", default: "1000000" },
    minutes: { type: "string", default: "10" },
    lanes: { type: "string", default: "1000" },
    findings: { type: "string" },
  },
});
const seed = wholeNumber(options, "seed");
const findingsFolder = options.findings ?? join(tmpdir(), `fuzz-multipart-${seed}`);
print(`seed ${seed}, findings go to ${findingsFolder}`);

const server = await openFormServer();
const report = await fuzzMultipart({
  seed,
  from: wholeNumber(options, "from"),
  count: wholeNumber(options, "count"),
  milliseconds: wholeNumber(options, "minutes") * 60_000,
  lanes: wholeNumber(options, "lanes"),
  findingsFolder,
  overHttp: server.send,
  tell: print,
});
const left = await server.leftovers();
await server.close();
print([...renderOutcomes(report), ...renderResources(report), ...renderFindings(report.findings)].join("\n"));
if (left) print(`left behind by the server: ${left}`);
process.exit(report.findings.length > 0 || left ? 1 : 0);
