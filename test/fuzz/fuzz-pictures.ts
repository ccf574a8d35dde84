import { setTimeout as pause } from "node:timers/promises";
import { createDice } from "./dice.js";
import { createFindings, createTally, type Finding, type Tally, tellCase } from "./findings.js";
import { mutatePicture } from "./mutate-picture.js";
import { openDescriptors, peakBytesOf } from "./own-resources.js";
import { type Outcome, openPictureStage, type PictureStage } from "./picture-stage.js";

export type PictureFuzzing = {
  seed: number;
  /** The first case and how many at most. */
  from: number;
  count: number;
  milliseconds: number;
  processes: number;
  /** What is mutated. */
  pictures: readonly Buffer[];
  findingsFolder: string;
  tell?: (line: string) => void;
};

export type PictureReport = Tally & {
  cases: number;
  findings: readonly Finding[];
  rss: { start: number; peak: number; end: number };
  descriptors: { before: readonly string[]; after: readonly string[] };
  pixelProcesses: { started: number; crashed: number; overdue: number; peakBytes: number; left: number };
};

/** How many cases run before everything is looked at while nothing runs. */
const ROUND = 100;
const ROUNDS_TOLD = 10;
/** Both deadlines of the product, a start of a process and a long queue. */
const NEVER_MS = 120_000;

/**
 * Uploads mutated pictures until the count or the time is over. A finding is an answer that blames the machine, an
 * error that is no MediaError, no answer, an item whose objects are not what its row says, something left behind.
 */
export async function fuzzPictures(given: PictureFuzzing): Promise<PictureReport> {
  const [began, findings, tally] = [performance.now(), createFindings(given.findingsFolder), createTally()];
  const stage = await openPictureStage(given.processes);
  const inputOf = (number: number): Buffer => {
    const dice = createDice(given.seed, number);
    return mutatePicture(dice.pick(given.pictures), dice, given.pictures);
  };
  await stage.upload(given.pictures[0] as Buffer);
  const before = await openDescriptors();
  const rss = { start: process.memoryUsage.rss(), peak: 0, end: 0 };
  let [cases, peakBytes] = [0, 0];

  async function runCase(number: number): Promise<void> {
    const [input, start] = [inputOf(number), performance.now()];
    const { told, isFinding } = await Promise.race([stage.upload(input), noAnswer()]);
    tellCase(tally, number, told, start);
    if (isFinding) await findings.add(number, told, input);
  }

  async function runRound(first: number, last: number): Promise<void> {
    let next = first;
    const lane = async () => {
      while (next < last) await runCase(next++);
    };
    await Promise.all(Array.from({ length: given.processes + 1 }, lane));
    const left = await stage.leftovers();
    if (left) await findings.add(first, `left behind by cases ${first} to ${last - 1}: ${left}`, inputOf(first));
    peakBytes = Math.max(peakBytes, await largestOf(stage));
    rss.peak = Math.max(rss.peak, process.memoryUsage.rss());
  }

  const end = given.from + given.count;
  for (let first = given.from; first < end && performance.now() - began < given.milliseconds; first += ROUND) {
    const last = Math.min(first + ROUND, end);
    await runRound(first, last);
    cases += last - first;
    if ((cases / ROUND) % ROUNDS_TOLD === 0) given.tell?.(progress(cases, began, tally, findings.list));
  }
  const after = await openDescriptors();
  rss.end = process.memoryUsage.rss();
  await stage.close();
  const { pids, crashed, overdue } = stage.processes;
  const left = (await Promise.all(pids.map(peakBytesOf))).filter((bytes) => bytes !== null).length;
  const pixelProcesses = { started: pids.length, crashed, overdue, peakBytes, left };
  return { ...tally, cases, findings: findings.list, rss, descriptors: { before, after }, pixelProcesses };
}

async function noAnswer(): Promise<Outcome> {
  await pause(NEVER_MS, undefined, { ref: false });
  return { told: `no answer in ${NEVER_MS / 1000} s`, isFinding: true };
}

async function largestOf({ processes }: PictureStage): Promise<number> {
  const peaks = await Promise.all(processes.pids.map(peakBytesOf));
  return Math.max(0, ...peaks.filter((bytes) => bytes !== null));
}

const progress = (cases: number, began: number, { outcomes }: Tally, findings: readonly Finding[]): string =>
  `${cases} cases in ${Math.round((performance.now() - began) / 1000)} s, ${outcomes.get("stored") ?? 0} stored, ${findings.length} findings`;
