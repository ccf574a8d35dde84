import { isPublished } from "./access.js";
import type { Media, MediaOut, StorageType } from "./model.js";
import type { PublicUrls, ServiceDeps } from "./ports.js";
import type { VariantName } from "./variants.js";

/** How long a signed address works, by the contract. */
const SIGNED_URL_SECONDS = 15 * 60;

type ViewDeps = Pick<ServiceDeps, "signer" | "urls" | "clock">;

/** Each segment escaped, the slashes kept. */
const escapeKey = (key: string): string => key.split("/").map(encodeURIComponent).join("/");

/** Where a browser loads this key from. What not everyone may see gets a signature that expires. */
async function urlOf(deps: ViewDeps, media: Media, key: string, isSigned: boolean): Promise<string> {
  const address = `${deps.urls.baseUrl}/files/${escapeKey(key)}`;
  if (!isPublished(media)) {
    if (!isSigned) return address;
    const expiresAt = new Date(deps.clock.now().getTime() + SIGNED_URL_SECONDS * 1000);
    return `${address}?${await deps.signer.sign(key, expiresAt)}`;
  }
  return publicAddressOf(deps.urls, media.storageType, key) ?? address;
}

/** Where everybody loads a published object without asking a server; null where there is no such place. */
export function publicAddressOf(urls: PublicUrls, storageType: StorageType, key: string): string | null {
  const base = storageType === "s3" ? (urls.cdnUrl ?? urls.s3PublicBaseUrl) : null;
  return base && `${base}/${escapeKey(key)}`;
}

/** The one serializer: every field of MediaOut, addresses built now from stored keys. */
export async function toMediaOut(deps: ViewDeps, media: Media, { isSigned = true } = {}): Promise<MediaOut> {
  const url = (key: string) => urlOf(deps, media, key, isSigned);
  const variants = await Promise.all(
    media.variants.map(async ({ key, ...variant }) => ({ ...variant, url: await url(key) })),
  );
  const variantUrl = (name: VariantName) => variants.find((v) => v.name === name)?.url ?? null;
  return {
    ...plainFields(media),
    originalUrl: await url(media.storagePath),
    thumbnailUrl: variantUrl("thumbnail"),
    smallUrl: variantUrl("small"),
    mediumUrl: variantUrl("medium"),
    largeUrl: variantUrl("large"),
    videoProcessedUrl: media.videoProcessedKey ? await url(media.videoProcessedKey) : null,
    variants,
  };
}

type UrlField = `${"original" | "thumbnail" | "small" | "medium" | "large" | "videoProcessed"}Url`;

/** All that does not hold an address. Keys, digests and trash times stay inside. */
function plainFields(media: Media): Omit<MediaOut, UrlField | "variants"> {
  return {
    id: media.id,
    publicId: media.publicId,
    filename: media.filename,
    originalFilename: media.originalFilename,
    mediaType: media.mediaType,
    contentType: media.contentType,
    fileSize: media.fileSize,
    width: media.width,
    height: media.height,
    duration: media.duration,
    imageHash: media.imageHash,
    storageType: media.storageType,
    bucketName: media.bucketName,
    placeholder: media.placeholder,
    dominantColor: media.dominantColor,
    focalPoint: media.focalPoint,
    entityType: media.entityType,
    entityId: media.entityId,
    entityPublicId: media.entityPublicId,
    entityField: media.entityField,
    altText: media.altText,
    caption: media.caption,
    sortOrder: media.sortOrder,
    isPrimary: media.isPrimary,
    sourceUrl: media.sourceUrl,
    tags: media.tags,
    metadata: media.metadata,
    uploadedBy: media.uploadedBy,
    isPublic: media.isPublic,
    isApproved: media.moderationStatus === "approved",
    moderationStatus: media.moderationStatus,
    processingStatus: media.processingStatus,
    createdAt: media.createdAt.toISOString(),
    updatedAt: media.updatedAt.toISOString(),
  };
}
