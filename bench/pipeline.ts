/**
 * What a picture costs: processor time of the pixel work and of a whole upload, how many uploads a second, how long a
 * batch, how much memory. Against the naive way and a lower bound, by turns in one run; prints medians and ratios.
 * `npm run bench:pipeline -- cpu --rounds 9`; parts are cpu, throughput, batch and memory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { optionsFrom } from "./measure.js";
import { takePhotographs } from "./photographs.js";
import { measureCpu } from "./pipeline-cpu.js";
import { measureBatch, measureThroughput } from "./pipeline-flow.js";
import { measureMemory } from "./pipeline-memory.js";

const PARTS = { cpu: measureCpu, throughput: measureThroughput, batch: measureBatch, memory: measureMemory };
const { numbers, parts } = optionsFrom({ rounds: 5, seed: 1 }, Object.keys(PARTS) as (keyof typeof PARTS)[]);

const folder = await mkdtemp(join(tmpdir(), "media-bench-"));
try {
  const photographs = await takePhotographs(folder, numbers.seed);
  console.log(`photographs of seed ${numbers.seed}, ${numbers.rounds} rounds`);
  for (const part of parts)
    await PARTS[part]({ folder: await mkdtemp(join(folder, `${part}-`)), photographs, ...numbers });
} finally {
  await rm(folder, { recursive: true, force: true });
}
