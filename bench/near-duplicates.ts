/**
 * How long it takes to find what looks like a picture among many: by the bands, and by comparing all. Prints medians
 * and their ratio; ends with an error where the two find different items.
 * `npm run bench:duplicates -- --rows 10000000`
 */
import { createHash } from "node:crypto";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { connectMysql } from "../db/connect-mysql.js";
import { openDatabase } from "../db/database.js";
import { idsWithin } from "../db/hash-bands.js";
import { createScope } from "../db/scope.js";
import type { HashWords } from "../src/media/hash-bands.js";
import type { LookAlikeQuery } from "../src/media/ports.js";
import { thisProcess } from "../test/support/database.js";
import { createRandom } from "../test/support/seeded-random.js";
import { fillMedia } from "./fill-media.js";
import { describeTimes, median, numbersFrom, timed } from "./measure.js";
import { run, startPrivateMariadb } from "./private-mariadb.js";

const DISTANCES = [5, 7, 10];
const { rows, rounds, seed } = numbersFrom({ rows: 200_000, rounds: 15, seed: 1 });

/** The n-th hash; `makeHashes` says the same to the database. */
function hashOf(n: number): HashWords {
  const digest = createHash("md5").update(`${seed}:${n}`).digest();
  return { high: digest.readUInt32BE(0), low: digest.readUInt32BE(4) };
}

/** The hash with so many places changed at random, as other shots and encodings of a picture have them. */
function changed({ high, low }: HashWords, places: number, random: () => number): HashWords {
  const chosen = new Set<number>();
  while (chosen.size < places) chosen.add(Math.floor(random() * 64));
  const mask = (from: number) =>
    [...chosen].filter((at) => at >= from && at < from + 32).reduce((bits, at) => bits | (1 << (at - from)), 0);
  return { high: (high ^ mask(0)) >>> 0, low: (low ^ mask(32)) >>> 0 };
}

const word = (at: number) => `conv(substr(md5(concat('${seed}:', seq)), ${at * 8 + 1}, 8), 16, 10)`;
const makeHashes = [
  "create table hashes (id int primary key, high int unsigned not null, low int unsigned not null)",
  `insert into hashes select seq, ${word(0)}, ${word(1)} from seq_1_to_${rows}`,
];

/** In the order of the key, a band at a time. */
const fillBands = ["high >> 16", "high & 65535", "low >> 16", "low & 65535"].map(
  (value, band) =>
    `insert into media_hash_bands select ${band * 65536} + (${value}) as bucket, high, low, id from hashes ` +
    "order by bucket, high, low, id",
);

const FAST_LOAD = ["set unique_checks = 0", "set sort_buffer_size = 536870912"];

/** As many items as an entity may have to be compared one by one. */
const ENTITY = 1_000;

/** What the bands save an entity of that size, or cost it. */
async function measureEntity(url: string): Promise<void> {
  const { database, close } = await openDatabase(url, thisProcess());
  const of = { contentSha256: "none", imageHash: "0011".repeat(16), mediaType: "IMAGE" } as const;
  const find = (maxDistance: number, within: LookAlikeQuery["within"]) =>
    timed(() => database.media.lookAlikes({ of, maxDistance, within }));
  const times = { "one by one": [] as number[], "bands within 5": [] as number[], "bands within 10": [] as number[] };
  for (let round = -1; round < rounds; round++) {
    const oneByOne = await find(10, { type: "property", id: 1 });
    const [near, far] = [await find(5, "everywhere"), await find(10, "everywhere")];
    if (round < 0) continue;
    times["one by one"].push(oneByOne.ms);
    times["bands within 5"].push(near.ms);
    times["bands within 10"].push(far.ms);
  }
  console.log(`an entity of ${ENTITY} items:`);
  for (const [way, taken] of Object.entries(times)) console.log(`  ${way}: ${describeTimes(taken)}`);
  await close();
}

async function measure(url: string): Promise<void> {
  const connection = connectMysql(url);
  const scope = createScope(connection);
  const scanner = await createConnection(url);
  const scan = async ({ high, low }: HashWords, distance: number) => {
    const [found] = await scanner.query<RowDataPacket[]>(
      "select id from hashes where bit_count(high ^ ?) + bit_count(low ^ ?) <= ?",
      [high, low, distance],
    );
    return found.map((row) => Number(row.id));
  };
  const random = createRandom(seed);
  const times = DISTANCES.map((distance) => ({ distance, bands: [] as number[], scan: [] as number[], found: 0 }));
  for (let round = -1; round < rounds; round++)
    for (const measured of times) {
      const { distance } = measured;
      const near = hashOf(1 + Math.floor(random() * rows));
      const hash = changed(near, Math.floor(random() * (distance + 1)), random);
      const banded = await timed(() => idsWithin(scope, hash, distance));
      const scanned = await timed(() => scan(hash, distance));
      if (banded.result.sort((a, b) => a - b).join() !== scanned.result.sort((a, b) => a - b).join())
        throw new Error(
          `Within ${distance} the bands find ${banded.result.join()}, the scan ${scanned.result.join()}.`,
        );
      // The first round fills the caches.
      if (round < 0) continue;
      measured.bands.push(banded.ms);
      measured.scan.push(scanned.ms);
      measured.found += banded.result.length;
    }
  for (const { distance, bands, scan, found } of times)
    console.log(
      `within ${distance}: bands ${describeTimes(bands)}; scan ${describeTimes(scan)}; ` +
        `scan / bands ${(median(scan) / median(bands)).toFixed(1)}; ${found} found by both`,
    );
  await scanner.end();
  await connection.close();
}

const server = await startPrivateMariadb();
try {
  const url = await server.create("bands");
  const database = await openDatabase(url, thisProcess());
  await database.migrate();
  await database.close();
  const filled = await timed(() =>
    run(url, [...FAST_LOAD, ...makeHashes, ...fillBands, "analyze table media_hash_bands"]),
  );
  console.log(`${rows} hashes of seed ${seed}, filled in ${(filled.ms / 1000).toFixed(0)} s`);
  await measure(url);
  await run(url, fillMedia({ items: ENTITY, gallery: ENTITY }));
  await measureEntity(url);
} finally {
  await server.stop();
}
