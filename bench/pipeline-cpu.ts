import { type Contender, startNaiveServer, startPixelProcess, startPixelRival, startProduct } from "./contenders.js";
import { median } from "./measure.js";
import type { Photograph, Photographs } from "./photographs.js";
import { cpuMsOf } from "./process-usage.js";

export type BenchRun = { folder: string; photographs: Photographs; rounds: number };

/** Processor time is told in steps of 10 ms: a sample is as many jobs as the naive way needs about 1 s for. */
const JOBS: Record<keyof Photographs, number> = { jpeg12: 4, jpeg24: 3, jpeg48: 2, png12: 2, progressive48: 1 };

/** Servers and their pixel processes live for days: what is measured is not their first minute. */
const WARM_UP_JOBS = 5;

type Times = Record<"render" | "bound" | "naive" | "upload" | "naiveUpload", number[]>;

/** Processor time for each kind of picture. Who comes first changes from round to round. */
export async function measureCpu({ folder, photographs, rounds }: BenchRun): Promise<void> {
  const contenders: Record<keyof Times, Contender> = {
    render: await startPixelProcess(folder, photographs.jpeg12),
    bound: await startPixelRival("bound", folder),
    naive: await startPixelRival("naive", folder),
    upload: await startProduct(`${folder}/product`),
    naiveUpload: await startNaiveServer(folder),
  };
  try {
    for (const [name, photograph] of Object.entries(photographs) as [keyof Photographs, Photograph][])
      report(photograph, await takeTurns(contenders, photograph, { jobs: JOBS[name], rounds }));
  } finally {
    for (const contender of Object.values(contenders)) await contender.stop();
  }
}

async function takeTurns(
  contenders: Record<keyof Times, Contender>,
  photograph: Photograph,
  { jobs, rounds }: { jobs: number; rounds: number },
): Promise<Times> {
  const times: Times = { render: [], bound: [], naive: [], upload: [], naiveUpload: [] };
  const ways = Object.keys(times) as (keyof Times)[];
  for (const way of ways) for (let job = 0; job < WARM_UP_JOBS; job++) await contenders[way].work(photograph);
  for (let round = 0; round < rounds; round++)
    for (const way of round % 2 === 0 ? ways : ways.toReversed())
      times[way].push(await cpuMsOfJobs(contenders[way], photograph, jobs));
  return times;
}

async function cpuMsOfJobs({ pid, work }: Contender, photograph: Photograph, jobs: number): Promise<number> {
  const before = cpuMsOf(pid);
  for (let job = 0; job < jobs; job++) await work(photograph);
  return (cpuMsOf(pid) - before) / jobs;
}

function report({ label, bytes }: Photograph, times: Times): void {
  const of = (way: keyof Times) => `${median(times[way]).toFixed(0)} ms`;
  const ratio = (a: keyof Times, b: keyof Times) => (median(times[a]) / median(times[b])).toFixed(2);
  console.log(
    `${label}, ${(bytes / 1e6).toFixed(1)} MB, CPU\n` +
      `  pixel work ${of("render")}, bound ${of("bound")}, naive ${of("naive")}; ` +
      `${ratio("render", "bound")} of the bound, ${ratio("render", "naive")} of naive\n` +
      `  upload ${of("upload")}, naive server ${of("naiveUpload")}; ${ratio("upload", "bound")} of the bound, ` +
      `${ratio("upload", "naiveUpload")} of the naive server, ${ratio("upload", "naive")} of the naive pixel work`,
  );
}
