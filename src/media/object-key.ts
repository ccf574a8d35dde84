import { ATTACHMENTS, type Attachment, ENTITY_TYPES, type MediaType } from "./attachments.js";
import { CONTENT_TYPES, isContentType } from "./content-type.js";
import { VARIANTS } from "./variants.js";

export type KeyParts = {
  attachment: Attachment;
  entityPublicId: string;
  mediaType: MediaType;
  contentType: string;
  at: Date;
  /** From `RandomIds.keyPart`: at least 64 bits, so that the key can't be guessed. */
  random: string;
};

/** Where videos lie and what they are called, whatever the attachment. */
const VIDEO = { folder: "videos", prefix: "video" } as const;

/**
 * `{entity folder}/{media folder}/{entity public id}/{YYYY-MM}/{prefix}-{YYYYMMDDHHMMSS}-{random}.{ext}`, times in
 * UTC. The extension follows from the content type; throws `TypeError` for a type that is not stored.
 */
export function originalKey({ attachment, entityPublicId, mediaType, contentType, at, random }: KeyParts): string {
  const { folder, prefix } = mediaType === "VIDEO" ? VIDEO : attachment;
  const stamp = at.toISOString();
  const name = `${prefix}-${stamp.slice(0, 19).replace(/\D/g, "")}-${random}`;
  return [
    ENTITY_TYPES[attachment.entityType].folder,
    folder,
    safeSegment(entityPublicId),
    stamp.slice(0, 7),
    `${name}.${extensionOf(contentType)}`,
  ].join("/");
}

/** The original's key with `suffix` before the extension, which is the variant's own. */
export function variantKey(originalKey: string, suffix: string, contentType: string): string {
  return `${originalKey.replace(/\.[^./]*$/, "")}${suffix}.${extensionOf(contentType)}`;
}

/**
 * The original's key with what the rendition's spec says (`large.avif`, `w640-1x1.webp`) and a random part of its own:
 * what is made again gets another key.
 */
export function renditionKey(originalKey: string, spec: string, random: string): string {
  const [name = "", extension = ""] = spec.split(".");
  return `${originalKey.replace(/\.[^./]*$/, "")}_${name}-${random}.${extension}`;
}

function extensionOf(contentType: string): string {
  if (!isContentType(contentType)) throw new TypeError(`No object is stored as ${contentType}.`);
  return CONTENT_TYPES[contentType].extension;
}

/**
 * A public id as one visible segment of a key: public ids are the platform's and may hold anything. Two ids may come
 * out alike; the random part keeps their objects apart.
 */
const safeSegment = (publicId: string): string => publicId.replace(/[^A-Za-z0-9._-]/gu, "-").replace(/^\.+|^$/, "-");

/** What clients put themselves lies here until it is media, or goes. */
const INCOMING_FOLDER = "incoming";

/** `incoming/{YYYY-MM}/{random}`, the month in UTC: it says nothing of what the bytes are or whose. */
export const incomingKey = ({ at, random }: Pick<KeyParts, "at" | "random">): string =>
  `${INCOMING_FOLDER}/${at.toISOString().slice(0, 7)}/${random}`;

export const isIncomingKey = (key: string): boolean => key.startsWith(`${INCOMING_FOLDER}/`);

/** Objects that are put and removed again to see whether a store works. */
const SELF_TEST_FOLDER = "self-test";

/** Asked about to see whether a store answers; nothing need be there. */
export const PROBE_KEY = `${SELF_TEST_FOLDER}/probe`;

/** What every key of this system looks like: a place of the tables, an id, a month and a name, all as made above. */
const OWN_KEY = ownKeyPattern();

function ownKeyPattern(): RegExp {
  const oneOf = (words: Iterable<string>) => `(?:${[...new Set(words)].join("|")})`;
  const places = ATTACHMENTS.flatMap((attachment) =>
    [attachment, VIDEO].map(({ folder, prefix }) => {
      const { folder: entityFolder } = ENTITY_TYPES[attachment.entityType];
      return String.raw`${entityFolder}/${folder}/(?!\.)[A-Za-z0-9._-]+/\d{4}-\d{2}/${prefix}`;
    }),
  );
  const suffix = oneOf(Object.values(VARIANTS).map((variant) => variant.suffix));
  const extension = oneOf(Object.values(CONTENT_TYPES).map((type) => type.extension));
  // 13 of 36 symbols are the fewest that hold 64 bits.
  const random = "[a-z0-9]{13,}";
  const rendition = String.raw`_(?:${oneOf(Object.keys(VARIANTS))}|w\d{1,5}(?:-\d{1,2}x\d{1,2})?)-${random}`;
  const name = String.raw`-\d{14}-${random}(?:${suffix}|${rendition})?\.${extension}`;
  const incoming = String.raw`${INCOMING_FOLDER}/\d{4}-\d{2}/${random}`;
  return new RegExp(`^(?:${oneOf(places)}${name}|${incoming}|${SELF_TEST_FOLDER}/[A-Za-z0-9._-]+)$`);
}

/** Whether this system could have written the key. Others may keep files in the same bucket or folder. */
export const isOwnKey = (key: string): boolean => OWN_KEY.test(key);
