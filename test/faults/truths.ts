import { createHash } from "node:crypto";
import sharp from "sharp";
import type { MediaOut } from "../../src/media/model.js";
import type { Phone } from "./phone.js";
import type { Report } from "./report.js";
import type { ServerUnderFire } from "./server-under-fire.js";
import { type Item, type Ledger, listAll } from "./work.js";

type Row = {
  id: number;
  name: string;
  isTrashed: boolean;
  isHidden: boolean;
  storageType: string;
  /** Bytes by key; the original first. */
  objects: Map<string, number>;
};
type Scene = { server: ServerUnderFire; phone: Phone; report: Report; ledger: Ledger };
type Tokens = { owner: string; admin: string; ids: readonly string[] };

/** What must hold once the weather is fine again and everything was looked after. */
export async function checkTruths(scene: Scene, tokens: Tokens): Promise<void> {
  const rows = await readRows(scene.server);
  scene.report.count("end: rows", rows.length);
  checkNothingIsDouble(scene, rows);
  await checkBucket(scene, rows);
  await checkNothingIsLeftToDo(scene);
  await checkLists(scene, tokens, rows);
  const byName = new Map(rows.map((row) => [row.name, row]));
  for (const item of scene.ledger.values()) checkPromise(scene, item, byName.get(item.name));
  for (const row of rows) await checkBytes(scene, tokens.admin, row);
  for (const item of scene.ledger.values()) if (item.fate === "gone") await checkGone(scene, item);
}

async function readRows({ tables }: ServerUnderFire): Promise<Row[]> {
  const media = await tables.execute("SELECT * FROM media ORDER BY id");
  const variants = await tables.execute("SELECT media_id, object_key, file_size FROM media_variants");
  const rows = new Map(
    media.map((row) => [
      row.id,
      {
        id: Number(row.id),
        name: String(row.original_filename),
        isTrashed: row.deleted_at !== null,
        isHidden: row.missing_since !== null,
        storageType: String(row.storage_type),
        objects: new Map([[String(row.storage_path), Number(row.file_size)]]),
      },
    ]),
  );
  for (const variant of variants)
    rows.get(variant.media_id)?.objects.set(String(variant.object_key), Number(variant.file_size));
  return [...rows.values()];
}

function checkNothingIsDouble({ report }: Scene, rows: readonly Row[]): void {
  const names = new Set<string>();
  for (const { name } of rows) {
    if (names.has(name)) report.violation(`${name} was stored twice`);
    names.add(name);
  }
  for (const row of rows) if (row.isHidden) report.violation(`${row.name} is marked as missing`);
}

/** Keys both ways, straight from the bucket and the tables. */
async function checkBucket({ server, report }: Scene, rows: readonly Row[]): Promise<void> {
  const stored = new Set(await server.objects.keys());
  const named = new Set(rows.flatMap((row) => [...row.objects.keys()]));
  for (const key of named) if (!stored.has(key)) report.violation(`${key} is named by a row and not stored`);
  for (const key of stored) if (!named.has(key)) report.violation(`${key} is stored and named by no row`);
  for (const row of rows) if (row.storageType !== "s3") report.violation(`${row.name} says ${row.storageType}`);
  report.count("end: objects", stored.size);
}

async function checkNothingIsLeftToDo({ server, report }: Scene): Promise<void> {
  for (const table of ["upload_intents", "object_deletions"]) {
    const left = await server.tables.execute(`SELECT * FROM ${table}`);
    if (left.length > 0) report.violation(`${table} holds ${left.length} rows: ${JSON.stringify(left.slice(0, 3))}`);
  }
}

/** Lists show what is not in the trash, and nothing else. */
async function checkLists({ phone, report }: Scene, { ids, owner }: Tokens, rows: readonly Row[]): Promise<void> {
  const listed = new Set<number>();
  for (const gallery of ids) {
    const page = await listAll(phone, gallery, owner);
    if (!page) report.violation(`the list of ${gallery} was not answered`);
    for (const id of page ?? []) listed.add(id);
  }
  for (const row of rows)
    if (listed.has(row.id) === row.isTrashed)
      report.violation(`${row.name} is ${row.isTrashed ? "in the trash and" : "not"} listed`);
}

/** What was answered is so; what never was may be either way. */
function checkPromise({ report }: Scene, item: Item, row: Row | undefined): void {
  const { name, media, isLeaving, fate } = item;
  const mayBeAway = isLeaving || media === null;
  if (!row && !mayBeAway) report.violation(`${name} was acknowledged and is lost`);
  if (row?.isTrashed && !isLeaving) report.violation(`${name} is in the trash and nobody put it there`);
  if (row && fate === "gone") report.violation(`${name} was deleted for good and is there`);
  if (fate === "trashed" && !row?.isTrashed) report.violation(`${name} was put into the trash and is not there`);
  report.count(`end: ${media ? "acknowledged" : "never answered"}, ${row ? "there" : "absent"}`);
}

/** Every byte of it over HTTP, and every picture decoded. */
async function checkBytes({ phone, report, ledger }: Scene, token: string, row: Row): Promise<void> {
  const item = ledger.get(Number.parseInt(row.name, 10));
  if (!item) return report.violation(`${row.name} is a row nobody sent`);
  if (row.isTrashed) return;
  const answer = await phone.call<MediaOut>("GET", `/v1/media/${row.id}`, token);
  if (answer?.status !== 200) return report.violation(`${row.name} answers ${answer?.status}`);
  const media = answer.body;
  const original = await bytesOf({ phone, report }, media.originalUrl);
  const digest = createHash("sha256").update(original).digest("hex");
  if (digest !== item.file.sha256) report.violation(`${row.name} is not what was sent`);
  if (row.objects.size !== media.variants.length + 1) report.violation(`${row.name} shows other variants than its row`);
  for (const variant of media.variants) {
    const bytes = await bytesOf({ phone, report }, variant.url);
    const { info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
    const is = [bytes.length, info.width, info.height].join();
    const said = [variant.fileSize, variant.width, variant.height].join();
    if (is !== said) report.violation(`${row.name} ${variant.name} is ${is}, its row says ${said}`);
  }
  report.count("end: items read whole");
}

async function bytesOf({ phone, report }: Pick<Scene, "phone" | "report">, url: string): Promise<Buffer> {
  const answer = await phone.fetch(url);
  if (answer?.status !== 200) report.violation(`${url} answers ${answer?.status}`);
  return answer?.body ?? Buffer.alloc(0);
}

async function checkGone({ phone, report }: Scene, { name, media }: Item): Promise<void> {
  for (const url of [media?.originalUrl ?? "", ...(media?.variants ?? []).map((variant) => variant.url)]) {
    const answer = await phone.fetch(url);
    if (answer?.status !== 404) report.violation(`${name} was deleted for good, its bytes answer ${answer?.status}`);
  }
  report.count("end: deleted items that are gone");
}
