import { startNaiveServer, startProduct, type UploadServer } from "./contenders.js";
import { median, timed } from "./measure.js";
import type { Photograph } from "./photographs.js";
import type { BenchRun } from "./pipeline-cpu.js";

const IN_FLIGHT = 8;
const UPLOADS = 24;
const BATCH = 10;
/** So many naive jobs one after the other must take longer than the batch. */
const NAIVE_JOBS = 6;

/** Uploads a second with eight under way. */
export const measureThroughput = (run: BenchRun): Promise<void> =>
  against(run, async ({ product, naive }, { jpeg12 }) => {
    const flow = (server: UploadServer) => timed(() => keepInFlight(server, jpeg12, IN_FLIGHT, UPLOADS));
    const [ours, theirs] = await byTurns(run.rounds, [() => flow(product), () => flow(naive)]);
    const perSecond = (times: readonly number[]) => ((UPLOADS * 1000) / median(times)).toFixed(1);
    console.log(
      `${IN_FLIGHT} uploads in flight, ${jpeg12.label}: ${perSecond(ours)} a second, naive server ` +
        `${perSecond(theirs)}; ratio ${(median(theirs) / median(ours)).toFixed(2)}`,
    );
  });

/** A batch against single uploads to the naive server, in time on the wall. */
export const measureBatch = (run: BenchRun): Promise<void> =>
  against(run, async ({ product, naive }, { jpeg12 }) => {
    const pictures = (count: number) => Array.from({ length: count }, () => jpeg12);
    const [ours, theirs] = await byTurns(run.rounds, [
      () => timed(() => product.workOnBatch(pictures(BATCH))),
      () => timed(() => naive.workOnBatch(pictures(NAIVE_JOBS))),
    ]);
    console.log(
      `a batch of ${BATCH}, ${jpeg12.label}: ${median(ours).toFixed(0)} ms, ${NAIVE_JOBS} one after the other at the ` +
        `naive server ${median(theirs).toFixed(0)} ms; ratio ${(median(ours) / median(theirs)).toFixed(2)}`,
    );
  });

type Servers = { product: UploadServer; naive: UploadServer };

async function against(
  { folder, photographs }: BenchRun,
  measure: (servers: Servers, photographs: BenchRun["photographs"]) => Promise<void>,
): Promise<void> {
  const product = await startProduct(`${folder}/product`);
  const naive = await startNaiveServer(folder);
  try {
    for (const server of [product, naive]) await keepInFlight(server, photographs.jpeg12, 4, 8);
    await measure({ product, naive }, photographs);
  } finally {
    await product.stop();
    await naive.stop();
  }
}

/** Milliseconds of each, by turns; who comes first changes. */
async function byTurns(
  rounds: number,
  [ours, theirs]: readonly [() => Promise<{ ms: number }>, () => Promise<{ ms: number }>],
): Promise<[number[], number[]]> {
  const times: [number[], number[]] = [[], []];
  const turn = async () => times[0].push((await ours()).ms);
  const theirTurn = async () => times[1].push((await theirs()).ms);
  for (let round = 0; round < rounds; round++)
    for (const next of round % 2 === 0 ? [turn, theirTurn] : [theirTurn, turn]) await next();
  return times;
}

/** Sends the picture `uploads` times, so many at once. */
export async function keepInFlight(
  server: UploadServer,
  photograph: Photograph,
  inFlight: number,
  uploads: number,
): Promise<void> {
  let sent = 0;
  const lane = async () => {
    while (sent++ < uploads) await server.work(photograph);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}
