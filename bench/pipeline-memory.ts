import { startNaiveServer, startProduct, type UploadServer } from "./contenders.js";
import { median } from "./measure.js";
import type { Photograph } from "./photographs.js";
import type { BenchRun } from "./pipeline-cpu.js";
import { keepInFlight } from "./pipeline-flow.js";
import { peakMiBDuring } from "./process-usage.js";

const IN_FLIGHT = 16;
/** A peak needs no more: the server starts anew each time. */
const MAX_ROUNDS = 3;

/** The highest resident memory of the server and its children, pages they share counted for each. */
export async function measureMemory({ folder, photographs, rounds }: BenchRun): Promise<void> {
  for (const [at, photograph] of [photographs.jpeg12, photographs.progressive48].entries()) {
    const peaks = { product: [] as number[], naive: [] as number[] };
    for (let round = 0; round < Math.min(rounds, MAX_ROUNDS); round++) {
      peaks.product.push(await peakOf(await startProduct(`${folder}/${at}-${round}`), photograph));
      if (round === 0) peaks.naive.push(await peakOf(await startNaiveServer(folder), photograph));
    }
    console.log(
      `${IN_FLIGHT} uploads in flight, ${photograph.label}: peak ${median(peaks.product).toFixed(0)} MiB, ` +
        `naive server ${median(peaks.naive).toFixed(0)} MiB`,
    );
  }
}

async function peakOf(server: UploadServer, photograph: Photograph): Promise<number> {
  try {
    return await peakMiBDuring(server.pid, () => keepInFlight(server, photograph, IN_FLIGHT, IN_FLIGHT));
  } finally {
    await server.stop();
  }
}
