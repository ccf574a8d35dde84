import { createHash } from "node:crypto";
import sharp from "sharp";
import { MediaError } from "../../src/media/errors.js";
import type { Media, Variant } from "../../src/media/model.js";
import type { Deps, Entity, Logger } from "../../src/media/ports.js";
import { uploadMedia } from "../../src/media/upload.js";
import { parseUploadFields } from "../../src/media/upload-fields.js";
import { VARIANTS } from "../../src/media/variants.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { createSpool } from "../../src/storage/spool.js";
import { createDomain } from "../support/domain.js";
import { filesBelow, makeTemporaryFolder } from "../support/temporary-folder.js";
import { openTestTables } from "../support/test-tables.js";

/** What became of one upload: `stored`, the code it was refused with, or what must never be. */
export type Outcome = { told: string; isFinding: boolean };

export type PictureStage = {
  upload(bytes: Buffer): Promise<Outcome>;
  /** What is left while nothing runs, in words; null where there is nothing. */
  leftovers(): Promise<string | null>;
  /** Pixel processes started so far, and how many of them crashed or were ended at their deadline. */
  processes: { pids: readonly number[]; crashed: number; overdue: number };
  close(): Promise<void>;
};

/** The deadlines of the product. */
const INSPECT_TIMEOUT_MS = 10_000;
const RENDER_TIMEOUT_MS = 15_000;
/** An entity's items are compared with each upload: more of them would only cost time. */
const UPLOADS_OF_AN_ENTITY = 300;

/** Answers of the machine, which no file may bring about. */
const MACHINE_FAILURES = ["PROCESSING_FAILED", "INTERNAL"];

/** The real line behind the transport: spool, pixel processes, SQLite, and a store in memory. */
export async function openPictureStage(processes: number): Promise<PictureStage> {
  const domain = await createDomain();
  const folder = await makeTemporaryFolder();
  const seen = { pids: [] as number[], crashed: 0, overdue: 0 };
  const images = createSharpPipeline({
    processes,
    queueLimits: { upload: 100, demand: 100 },
    pixelBudget: domain.deps.limits.maxAnimatedPixels,
    inspectTimeoutMs: INSPECT_TIMEOUT_MS,
    renderTimeoutMs: RENDER_TIMEOUT_MS,
    maxPixels: domain.deps.limits.maxAnimatedPixels,
    log: watchProcesses(seen),
  });
  const spool = createSpool({ folder: folder.path, instanceId: "fuzz" });
  const deps: Deps = { ...domain.deps, images, spool };
  const tables = openTestTables(domain.opened.url);
  let uploads = 0;
  let stored = 0;
  let builder: Promise<Entity> | undefined;
  const nextBuilder = (): Promise<Entity> => {
    const publicId = `BLD-${uploads / UPLOADS_OF_AN_ENTITY}`;
    return deps.database.entities.upsert({ type: "builder", publicId, ownerId: "USR-1" }, deps.clock.now());
  };

  async function upload(bytes: Buffer): Promise<Outcome> {
    if (uploads++ % UPLOADS_OF_AN_ENTITY === 0) builder = nextBuilder();
    const target = domain.target((await builder) as Entity, "gallery");
    const writer = await spool.create();
    try {
      await writer.write(bytes);
      const incoming = { file: await writer.finish(), filename: "a.jpg", fields: parseUploadFields(new Map()) };
      const { media } = await uploadMedia(deps, { actor: domain.user("USR-1"), target, incoming });
      stored++;
      return await judgeStored(deps, media, bytes);
    } catch (error) {
      return judgeFailure(error);
    } finally {
      await writer.discard();
    }
  }

  async function leftovers(): Promise<string | null> {
    const [spooled, keys] = [await filesBelow(folder.path), await domain.keys()];
    const [intents] = await tables.execute("SELECT COUNT(*) AS n FROM upload_intents");
    const [rows] = await tables.execute("SELECT COUNT(*) AS n FROM media");
    const left = { spooled, keys, intents: Number(intents?.n), rowsTooMany: Number(rows?.n) - stored };
    const isClean = spooled.length + keys.length + left.intents === 0 && left.rowsTooMany === 0;
    return isClean ? null : JSON.stringify(left);
  }

  return {
    upload,
    leftovers,
    processes: seen,
    async close() {
      await images.close();
      await domain.close();
      await folder.remove();
    },
  };
}

function watchProcesses(seen: { pids: number[]; crashed: number; overdue: number }): Logger {
  return {
    info: (fields) => void seen.pids.push(Number(fields.pid)),
    warn: () => undefined,
    error: ({ signal, failure }) => {
      if (failure === undefined) return;
      if (signal === "SIGKILL") seen.overdue++;
      else seen.crashed++;
    },
  };
}

function judgeFailure(error: unknown): Outcome {
  if (!(error instanceof MediaError)) return { told: `threw ${String(error)}`, isFinding: true };
  const { code } = error.failure;
  return { told: code, isFinding: MACHINE_FAILURES.includes(code) };
}

/** Looks at every object of an item against its row, and takes them away again. */
async function judgeStored({ objects }: Deps, media: Media, bytes: Buffer): Promise<Outcome> {
  const wrongs: string[] = [];
  const require = (isTrue: boolean, what: string) => void (isTrue || wrongs.push(what));
  require(media.contentSha256 === createHash("sha256").update(bytes).digest("hex"), "the digest is another file's");
  const read = async (key: string): Promise<Buffer> => {
    const object = await objects.primary.get(key);
    return Buffer.from(await new Response(object?.stream ?? null).arrayBuffer());
  };
  require((await read(media.storagePath)).length === media.fileSize, "the original's size is another");
  for (const variant of media.variants)
    for (const wrong of await judgeVariant(await read(variant.key), variant, media))
      wrongs.push(`${variant.name} ${wrong}`);
  await objects.primary.deleteMany([media.storagePath, ...media.variants.map(({ key }) => key)]);
  return wrongs.length === 0
    ? { told: "stored", isFinding: false }
    : { told: `stored, but ${wrongs.join(", ")}`, isFinding: true };
}

async function judgeVariant(bytes: Buffer, variant: Variant, media: Media): Promise<string[]> {
  const { format, width, height, pageHeight = height } = await sharp(bytes).metadata();
  const [side, upright] = [media.width ?? 0, media.height ?? 0];
  const box = VARIANTS[variant.name];
  const scale = Math.min(1, box.width / side, box.height / upright);
  const isNear = (size: number, whole: number) => Math.abs(size - Math.max(1, whole * scale)) <= 1;
  const rules: [boolean, string][] = [
    [bytes.length === variant.fileSize, "has another size"],
    [`image/${format}` === variant.contentType, "is of another type"],
    [width === variant.width && pageHeight === variant.height, "has other sides"],
    [width <= Math.min(box.width, side) && pageHeight <= Math.min(box.height, upright), "is enlarged"],
    [box.fit === "cover" || (isNear(width, side) && isNear(pageHeight, upright)), "has other proportions"],
  ];
  return rules.filter(([isTrue]) => !isTrue).map(([, wrong]) => wrong);
}
