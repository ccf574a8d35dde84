/**
 * How long it takes to list a gallery of fifty, alone among ten thousand items and among many. Prints medians and their
 * ratio, of the domain's `listGallery` over MariaDB.
 * `npm run bench:list -- --rows 1000000`
 */
import { openDatabase } from "../db/database.js";
import { ANONYMOUS } from "../src/media/actor.js";
import { listGallery } from "../src/media/browse.js";
import { VARIANT_NAMES } from "../src/media/variants.js";
import { thisProcess } from "../test/support/database.js";
import { fillMedia } from "./fill-media.js";
import { describeTimes, median, numbersFrom, timed } from "./measure.js";
import { run, startPrivateMariadb } from "./private-mariadb.js";

const GALLERY = 50;
const FEW = 10_000;
const { rows, rounds } = numbersFrom({ rows: 100_000, rounds: 300 });
const MEASURED = { type: "property", id: 1 } as const;

const server = await startPrivateMariadb();

async function open(name: string, items: number) {
  const url = await server.create(name);
  const database = await openDatabase(url, thisProcess());
  await database.migrate();
  const filled = await timed(() => run(url, fillMedia({ items, gallery: GALLERY })));
  console.log(`${items} items, filled in ${(filled.ms / 1000).toFixed(0)} s`);
  return { ...database, times: [] as number[] };
}

try {
  const clock = { now: () => new Date(), pause: () => Promise.resolve() };
  const [few, many] = [await open("few", FEW), await open("many", rows)];
  const WARM_UP = Math.ceil(rounds / 10);
  for (let round = -WARM_UP; round < rounds; round++)
    // Who comes first changes, so that neither is always the one the other made room for.
    for (const { database, times } of round % 2 === 0 ? [few, many] : [many, few]) {
      const listed = await timed(() => listGallery({ database, clock }, ANONYMOUS, { ...MEASURED, limit: GALLERY }));
      const { items, total } = listed.result;
      if (
        items.length !== GALLERY ||
        total !== GALLERY ||
        items.some((item) => item.variants.length !== VARIANT_NAMES.length)
      )
        throw new Error(`The list holds ${items.length} of ${total} items, or not all their variants.`);
      if (round >= 0) times.push(listed.ms);
    }
  console.log(`among ${FEW}: ${describeTimes(few.times)}\namong ${rows}: ${describeTimes(many.times)}`);
  console.log(`ratio ${(median(many.times) / median(few.times)).toFixed(2)}`);
  await few.close();
  await many.close();
} finally {
  await server.stop();
}
