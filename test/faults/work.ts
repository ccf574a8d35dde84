import { createHash } from "node:crypto";
import type { MediaOut } from "../../src/media/model.js";
import { scenery } from "../support/pictures.js";
import { createRandom } from "../support/seeded-random.js";
import type { createApi } from "../support/server.js";
import type { Outcome, Phone } from "./phone.js";
import type { Report } from "./report.js";

/** What was promised about an item. `gone` and `trashed` are set once that was answered. */
export type Item = {
  name: string;
  key: string;
  path: string;
  file: Picture;
  /** Null until the upload was answered. */
  media: MediaOut | null;
  /** Set before the first try: from then on it may be away. */
  isLeaving: boolean;
  fate: "kept" | "trashed" | "gone";
};
type Picture = { bytes: Buffer; sha256: string };

/** Everything that was begun, by the number of its operation. */
export type Ledger = Map<number, Item>;

type Galleries = { owner: string; admin: string; ids: string[] };
type Stage = { phone: Phone; report: Report; ledger: Ledger; pictures: Picture[]; galleries: Galleries };

const GALLERIES = 4;

/** Pictures of their own, from 150 to 900 pixels a side, without a place in them: their bytes are stored as they are. */
export async function makePictures(): Promise<Picture[]> {
  const sizes = [150, 240, 320, 410, 500, 640, 760, 900];
  const made = sizes.map((side, at) =>
    scenery(side, Math.round(side * 0.75), at + 1)
      .jpeg({ quality: 70 })
      .toBuffer(),
  );
  return (await Promise.all(made)).map((bytes) => ({
    bytes,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  }));
}

export async function makeGalleries(api: ReturnType<typeof createApi>): Promise<Galleries> {
  const owner = await api.user("USR-OWNER");
  const admin = await api.user("USR-ADMIN", { role: "admin" });
  const ids = Array.from({ length: GALLERIES }, (_, n) => `BLD-${n + 1}`);
  for (const id of ids) await api.entity("builder", id, { ownerId: "USR-OWNER" });
  return { owner, admin, ids };
}

/** Shares of a hundred operations. */
const SHARES = { upload: 58, list: 14, read: 14, trash: 8, destroy: 6 } as const;
type Operation = keyof typeof SHARES;

/** Does the operation of that number, which is the same for the same seed; what it is done to depends on the moment. */
export async function operate(stage: Stage, seed: number, number: number): Promise<void> {
  const random = createRandom(seed * 1_000_003 + number);
  const operation = operationAt(random() * 100);
  stage.report.count(`${operation}: begun`);
  if (operation === "upload") return upload(stage, number, random);
  if (operation === "list") return list(stage, pick(stage.galleries.ids, random));
  const item = pick(leavable(stage.ledger), random);
  if (!item) return stage.report.count(`${operation}: nothing there yet`);
  if (operation === "read") return read(stage, item);
  return remove(stage, item, operation);
}

function operationAt(point: number): Operation {
  let end = 0;
  for (const [operation, share] of Object.entries(SHARES)) {
    end += share;
    if (point < end) return operation as Operation;
  }
  return "upload";
}

function pick<T>(all: readonly T[], random: () => number): T {
  return all[Math.floor(random() * all.length)] as T;
}

const leavable = (ledger: Ledger): Item[] => [...ledger.values()].filter((item) => item.media && !item.isLeaving);

async function upload({ phone, report, ledger, pictures, galleries }: Stage, number: number, random: () => number) {
  const path = `/v1/media/builders/${pick(galleries.ids, random)}/portfolio`;
  const key = `operation-${number}`;
  const file = pick(pictures, random);
  const item: Item = { name: `${number}.jpg`, key, path, file, media: null, isLeaving: false, fate: "kept" };
  ledger.set(number, item);
  note(item, await phone.upload(path, galleries.owner, { bytes: file.bytes, name: item.name }, key), report);
}

/** Enters what the answer to an upload promises. */
export function note(item: Item, outcome: Outcome<{ media: MediaOut }>, report: Report): void {
  if (!outcome) {
    report.count("upload: never answered");
  } else if (outcome.status === 201 || outcome.status === 200) {
    report.count(outcome.status === 200 ? "upload: answered again" : "upload: answered");
    item.media = outcome.body.media;
  } else {
    report.violation(`${item.name} was refused: ${outcome.status} ${JSON.stringify(outcome.body)}`);
  }
}

/** What was answered before the list was asked for is in it, unless somebody began to delete it meanwhile. */
async function list({ phone, report, ledger, galleries }: Stage, id: string): Promise<void> {
  const expected = leavable(ledger).filter((item) => item.path.includes(`/${id}/`));
  const listed = await listAll(phone, id, galleries.owner);
  if (!listed) return report.count("list: never answered");
  const missing = expected.filter((item) => !item.isLeaving && !listed.has(item.media?.id ?? 0));
  for (const { name } of missing) report.violation(`${name} was not in a list of its gallery`);
  report.count("list: whole");
}

/** Ids of all pages; null where one of them was never answered. */
export async function listAll(phone: Phone, id: string, token: string): Promise<Set<number> | null> {
  const ids = new Set<number>();
  let cursor: string | null = null;
  do {
    const query: string = `limit=100${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page: Outcome<Page> = await phone.call<Page>("GET", `/v1/media/entity/builder/${id}?${query}`, token);
    if (page?.status !== 200) return null;
    for (const media of page.body.items) ids.add(media.id);
    cursor = page.body.nextCursor;
  } while (cursor !== null);
  return ids;
}
type Page = { items: MediaOut[]; nextCursor: string | null };

async function read({ phone, report }: Stage, item: Item): Promise<void> {
  const { name, media, file } = item;
  const answer = await phone.fetch(media?.originalUrl ?? "");
  if (!answer) return report.count("read: never answered");
  if (answer.status === 404 && item.isLeaving) return;
  const isWhole = answer.status === 200 && answer.body.equals(file.bytes);
  if (!isWhole) report.violation(`${name} was read as ${answer.status} with ${answer.body.length} bytes`);
  report.count("read: answered");
}

async function remove({ phone, report, galleries }: Stage, item: Item, how: "trash" | "destroy"): Promise<void> {
  item.isLeaving = true;
  const [query, token] = how === "destroy" ? ["?permanent=true", galleries.admin] : ["", galleries.owner];
  const answer = await phone.call("DELETE", `/v1/media/${item.media?.id}${query}`, token);
  if (!answer) return report.count(`${how}: never answered`);
  // Not there any more: an earlier try did it, and its answer was lost.
  const isDone = answer.status === 200 || (answer.status === 404 && answer.tries > 1);
  if (!isDone) return report.violation(`${how} of ${item.name} answered ${answer.status}`);
  item.fate = how === "destroy" ? "gone" : "trashed";
  report.count(`${how}: answered`);
}
