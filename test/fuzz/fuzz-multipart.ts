import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { createDice, type Dice } from "./dice.js";
import { createFindings, createTally, type Finding, type Tally, tellCase } from "./findings.js";
import { type Outcome, openFormStage } from "./form-stage.js";
import { makeForm } from "./forms.js";
import { type Body, mutateForm } from "./mutate-form.js";
import { openDescriptors } from "./own-resources.js";
import { createWatchdog } from "./watchdog.js";

export type MultipartFuzzing = {
  seed: number;
  /** The first case and how many at most. */
  from: number;
  count: number;
  milliseconds: number;
  /** Cases at once: a form the parser is silent about takes two seconds of doing nothing. */
  lanes: number;
  findingsFolder: string;
  /** Sends one of a thousand to a whole server; null for none. */
  overHttp: ((body: Body) => Promise<Outcome>) | null;
  tell?: (line: string) => void;
};

export type MultipartReport = Tally & {
  cases: number;
  findings: readonly Finding[];
  rss: { start: number; peak: number; end: number };
  descriptors: { before: readonly string[]; after: readonly string[] };
};

const SHARE_OVER_HTTP = 1 / 1000;
const SHARE_WHOLE = 0.15;
const NEVER_MS = 60_000;
/** How long bodies may take to come to their end after the last answer; refused ones are read into nothing. */
const AFTERWARDS_MS = 15_000;
const TOLD = 20_000;

/**
 * Reads damaged and whole forms until the count or the time is over. A finding is an error that is no MediaError or
 * of another code than a reader's, no answer, a rejection nobody heard, a whole form read as something else, a body
 * left standing.
 */
export async function fuzzMultipart(given: MultipartFuzzing): Promise<MultipartReport> {
  const { seed, from, overHttp } = given;
  const [began, findings, tally, stage] = [
    performance.now(),
    createFindings(given.findingsFolder),
    createTally(),
    openFormStage(),
  ];
  const watchdog = createWatchdog(NEVER_MS);
  const before = await openDescriptors();
  const rss = { start: process.memoryUsage.rss(), peak: 0, end: 0 };
  let next = from;

  async function runCase(number: number): Promise<void> {
    // A body that is all there is read without a turn of the event loop; sockets and timers need theirs.
    await nextTurn();
    const [{ form, body, dice, isWhole, isSent }, start] = [makeCase(seed, number), performance.now()];
    watchdog.begin(number);
    const sent = isSent && overHttp;
    const { told, isFinding } = await (sent
      ? sent(body)
      : isWhole
        ? stage.compare(form, dice)
        : stage.read(body, dice));
    watchdog.end(number);
    tellCase(tally, number, sent ? `over HTTP: ${told}` : told, start);
    if (isFinding) await findings.add(number, told, Buffer.concat([Buffer.from(`${body.contentType}\n`), body.body]));
    rss.peak = Math.max(rss.peak, process.memoryUsage.rss());
    if ((number + 1) % TOLD === 0) given.tell?.(`${number + 1 - from} cases, ${findings.list.length} findings`);
  }

  const lane = async () => {
    while (next < from + given.count && performance.now() - began < given.milliseconds) await runCase(next++);
  };
  const unheard = (reason: unknown) =>
    void findings.add(next, `a rejection nobody heard: ${String(reason)}`, Buffer.alloc(0));
  process.on("unhandledRejection", unheard);
  const lanes = Promise.all(Array.from({ length: given.lanes }, lane));
  const overdue = await Promise.race([lanes.then(() => []), watchdog.overdue]);
  for (const number of overdue) await findings.add(number, "no answer", makeCase(seed, number).body.body);
  for (let waited = 0; stage.open() > 0 && waited < AFTERWARDS_MS; waited += 100) await pause(100);
  if (stage.open() > 0) await findings.add(next, `${stage.open()} bodies were left standing`, Buffer.alloc(0));
  process.off("unhandledRejection", unheard);
  watchdog.close();
  rss.end = process.memoryUsage.rss();
  const descriptors = { before, after: await openDescriptors() };
  return { ...tally, cases: next - from, findings: findings.list, rss, descriptors };
}

type Case = { form: ReturnType<typeof makeForm>; body: Body; dice: Dice; isWhole: boolean; isSent: boolean };

function makeCase(seed: number, number: number): Case {
  const dice = createDice(seed, number);
  const form = makeForm(dice);
  const [isWhole, isSent] = [dice.chance(SHARE_WHOLE), dice.chance(SHARE_OVER_HTTP)];
  return { form, body: isWhole ? form : mutateForm(form, dice), dice, isWhole, isSent };
}
