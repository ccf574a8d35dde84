import { withObject } from "./copy-object.js";
import { MediaError } from "./errors.js";
import { renditionKey } from "./object-key.js";
import type { ByteSource, Deps, Stores, UploadIntent } from "./ports.js";
import type { RenditionOrder } from "./rendition-order.js";
import type { Rendition, RenditionClaim } from "./rendition-ports.js";
import { removeObjects } from "./stored-objects.js";

export type MakeDeps = Pick<Deps, "database" | "objects" | "images" | "spool" | "clock" | "ids" | "log">;

/** `unfit`: it would save too little. */
export type MadeRendition = { state: "made"; rendition: Rendition } | { state: "unfit" };

/**
 * Makes what was ordered under a claim that is held. Order of effects: the source comes into the spool, the picture is
 * made there; then an intent, the object, and in one transaction the rendition's row and the end of the intent. A crash
 * leaves a claim that the next who asks takes over, and an intent that the sweep clears. Rejects where it could not be
 * made or stored, and with CONFLICT where the item changed meanwhile; nothing is left then but the claim.
 */
export async function makeRendition(
  deps: MakeDeps,
  order: RenditionOrder,
  claim: RenditionClaim,
): Promise<MadeRendition> {
  const { media, source } = order;
  const store = deps.objects.of(media.storageType);
  return withObject(deps, { store, key: source.key }, async (file) => {
    if (file.size !== source.fileSize)
      throw new Error(`${source.key} holds ${file.size} bytes where its row says ${source.fileSize}.`);
    const folder = await deps.spool.folder();
    try {
      const path = await deps.images.derive({ path: file.path, outputFolder: folder.path, ...jobOf(order) });
      const picture = await deps.spool.source(path);
      if (order.maxBytes === null || picture.size <= order.maxBytes) return await keep(deps, { order, claim, picture });
      await deps.database.renditions.end(claim, "unfit", deps.clock.now());
      return { state: "unfit" };
    } finally {
      await folder.remove();
    }
  });
}

const jobOf = ({ width, height, focalPoint, contentType, quality, source }: RenditionOrder) => ({
  width,
  height,
  focalPoint,
  contentType,
  quality,
  heldPixels: source.pixels,
});

type Picture = { order: RenditionOrder; claim: RenditionClaim; picture: ByteSource };

async function keep(deps: MakeDeps, { order, claim, picture }: Picture): Promise<MadeRendition> {
  const { media, width, height, contentType } = order;
  const key = renditionKey(media.storagePath, order.spec, deps.ids.keyPart());
  const { storageType, publicId: mediaPublicId, isPublic } = media;
  const intent: UploadIntent = { id: claim.claim, mediaPublicId, storageType, keys: [key] };
  await deps.database.intents.open(intent, deps.clock.now());
  try {
    await deps.objects.of(storageType).put(key, picture, { contentType, isPublic });
    const rendition: Rendition = { key, width, height, contentType, fileSize: picture.size };
    await deps.database.transact((stores) => commit(stores, { order, claim, rendition }, deps.clock.now()));
    return { state: "made", rendition };
  } catch (error) {
    await removeObjects(deps, intent);
    throw error;
  }
}

/**
 * The item's row is held from the look at it on: as long as it names the source in that store, nobody removes or moves
 * the item, or makes its variants anew, without finding this row.
 */
async function commit(
  { media, renditions, intents }: Stores,
  { order, claim, rendition }: { order: RenditionOrder; claim: RenditionClaim; rendition: Rendition },
  now: Date,
): Promise<void> {
  const isThere = await media.namesKey(order.source.key, order.media.storageType);
  const isCurrent = isThere && (!order.isCropped || (await isSameFocus(media, order)));
  if (!isCurrent || !(await renditions.finish(claim, rendition, now)) || !(await intents.close(claim.claim)))
    throw new MediaError({ code: "CONFLICT", reason: "The item changed while a rendition of it was made." });
}

async function isSameFocus(media: Stores["media"], { media: { id }, focalPoint }: RenditionOrder): Promise<boolean> {
  const now = await media.find(id);
  return now?.focalPoint?.x === focalPoint?.x && now?.focalPoint?.y === focalPoint?.y;
}
