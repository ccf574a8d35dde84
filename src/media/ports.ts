/**
 * What the domain needs from outside. Adapters in storage/, pipeline/, db/, security/ and telemetry/ implement these;
 * they never see each other.
 */
import type { EntityField, EntityType, MediaType } from "./attachments.js";
import type { DirectStorage, DirectUploadLog } from "./direct-ports.js";
import type {
  DeletionOutbox,
  IdempotencyLog,
  ModerationLog,
  StoredItem,
  SyncLog,
  UsageCounters,
} from "./lifecycle-ports.js";
import type { Limits, Retention, SyncPatience } from "./limits.js";
import type { FocalPoint, Media, ModerationStatus, StorageType } from "./model.js";
import type { VariantTable } from "./rendering.js";
import type { MediaRenderings } from "./rendering-ports.js";
import type { RenditionLog, RenditionType } from "./rendition-ports.js";
import type { VariantName } from "./variants.js";

export type Clock = { now(): Date; pause(milliseconds: number): Promise<void> };

/** Unguessable names. */
export type RandomIds = {
  /** Public id of a new item, at most 30 characters. */
  mediaId(): string;
  /** Part of an object key: at least 64 bits, lower-case letters and digits. */
  keyPart(): string;
};

// ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Bytes that can be read more than once, so that a failed put can be tried again. */
export type ByteSource = {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex of what `open` yields. */
  readonly sha256: string;
  open(): ReadableStream<Uint8Array>;
  /**
   * The file of this machine that they are, whole, where there is one: digested as it was written or after it, and not
   * written to again. A store on the same disk may keep that file itself.
   */
  readonly path?: string;
};

/** A private file of this process on local disk. It is gone after `discard`, or when the process's spool is swept. */
export type SpooledFile = ByteSource & {
  readonly path: string;
  /** The first bytes, at most 4096: enough to tell the type. */
  readonly head: Uint8Array;
};

export type SpoolWriter = {
  /** Resolves when the chunk is accepted: wait for it, that is the back-pressure. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the file and answers it with size and digest. */
  finish(): Promise<SpooledFile>;
  /** Removes what was written. Safe to call at any time, more than once, also after `finish`. */
  discard(): Promise<void>;
};

/** Temporary files of requests under way. Each process has a folder of its own; a dead process's folder is removable. */
export type Spool = {
  create(): Promise<SpoolWriter>;
  /** An empty private folder for one job's results; `remove` takes everything below it away. */
  folder(): Promise<{ path: string; remove(): Promise<void> }>;
  /** A byte source over a file below `folder()`. Reads it once for size and digest. */
  source(path: string): Promise<ByteSource>;
};

export type ByteRange = { start: number /** Inclusive. */; end: number };

export type StoredObject = {
  /** Bytes of the whole object, whatever the range. */
  readonly size: number;
  readonly stream: ReadableStream<Uint8Array>;
};

/** `unknown`: the store did not answer, so nothing may be concluded. */
export type Presence =
  | { state: "exists"; size: number; lastModified: Date }
  | { state: "missing" }
  | { state: "unknown"; reason: string };

export type PutOptions = {
  contentType: string;
  /** Public objects are stored with a year of immutable caching, others with none. */
  isPublic: boolean;
};

export type ObjectListing = { key: string; size: number; lastModified: Date };

/**
 * One store, as far as what it holds goes. Keys are relative, `/`-separated and confined to the store; a key that leaves
 * it, is absolute or holds an empty, `.` or `..` segment, a backslash or a control character throws `TypeError`.
 */
export type KeptObjects = {
  readonly type: StorageType;
  /** Null where there are no buckets. */
  readonly bucketName: string | null;
  /**
   * Null when there is no such object. A range may end past the last byte. Rejects with `RangeError` when it holds no
   * byte of the object, and with `StorageUnavailableError` when the store does not answer.
   */
  get(key: string, range?: ByteRange): Promise<StoredObject | null>;
  /** Never rejects: an outage is `unknown`. */
  head(key: string): Promise<Presence>;
  /** Removes exactly this key; removing what is not there is no error. Rejects when the store does not answer. */
  delete(key: string): Promise<void>;
  /** Removes exactly these keys, each for itself. Answers those it could not remove, with the reason; never rejects. */
  deleteMany(keys: readonly string[]): Promise<{ key: string; error: unknown }[]>;
  /** All objects in bytewise key order, those after `startAfter` only. */
  list(options?: { startAfter?: string; prefix?: string }): AsyncIterable<ObjectListing>;
  /**
   * Removes what puts that never ended left behind, where it was last written before `olderThan`: leave a margin of
   * hours, a put under way has such a thing too. Answers how many.
   */
  sweepUnfinished(olderThan: Date): Promise<number>;
};

/** One store, which also takes new objects. */
export type ObjectStorage = KeptObjects & {
  /**
   * Stores the object durably and all at once: a reader sees all of it or nothing, also after a crash.
   * Rejects with `ObjectExistsError` when the key is taken (a key is written once), with `StorageUnavailableError`
   * when the store does not answer, and with a plain Error when the bytes do not match `size` and `sha256`.
   */
  put(key: string, source: ByteSource, options: PutOptions): Promise<void>;
};

/** The stores that hold objects. Each row says which of them holds its bytes; a key may be in several during a move. */
export type ObjectStores<Store = ObjectStorage> = {
  /** Where new objects go. */
  readonly primary: Store;
  /** Where they go instead while the primary store does not answer; null where uploads are refused then. */
  readonly fallback: Store | null;
  /** Every store that is set up, the primary one first. */
  readonly all: readonly Store[];
  /** The store of a type. One that is not set up behaves like one that does not answer. */
  of(type: StorageType): Store;
};

export class ObjectExistsError extends Error {
  override readonly name = "ObjectExistsError";
}

export class StorageUnavailableError extends Error {
  override readonly name = "StorageUnavailableError";
}

// ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** What the header says, before any pixel is decoded. */
export type ImageHeader = {
  /** Pixels of one frame after orientation. */
  width: number;
  height: number;
  /** 1 for a still picture. */
  frames: number;
  /** Pixels that are in memory at once while it is decoded; far fewer than it has where its format is read row by row. */
  heldPixels: number;
};

export type RenderedVariant = {
  name: VariantName;
  path: string;
  width: number;
  height: number;
  contentType: "image/jpeg" | "image/webp";
};

export type RenderedImage = {
  width: number;
  height: number;
  /** Largest first. Variants that would enlarge the picture are absent. */
  variants: RenderedVariant[];
  /** 64 characters of 0 and 1; null for a flat picture. */
  perceptualHash: string | null;
  /** Thumbhash, base64. */
  placeholder: string;
  /** `#rrggbb`. */
  dominantColor: string;
  /** Plain JSON, without GPS unless `keepGps`; empty where there is none. */
  exif: Record<string, string | number>;
  /** True when GPS was blanked in the file at `path`, whose digest and perhaps size differ since. */
  originalChanged: boolean;
};

export type RenderJob = {
  path: string;
  /** An existing empty folder; every file is written here. */
  outputFolder: string;
  /** Those to make. */
  variants: VariantTable;
  /** Of the upright picture, 0 to 1: what crops keep. Null: the middle. */
  focalPoint: FocalPoint | null;
  keepGps: boolean;
  /** As `inspect` answered it: what the picture weighs among others. Where it is left out it is taken for the heaviest. */
  heldPixels?: number | undefined;
  /** `demand`: nobody waits for it who could not wait longer; uploads go first. They are the default. */
  priority?: "upload" | "demand" | undefined;
};

export type DeriveJob = {
  path: string;
  /** An existing empty folder; the one file is written here. */
  outputFolder: string;
  /** Pixels, and exactly these; neither side exceeds the upright picture's. What has other proportions is cropped. */
  width: number;
  height: number;
  /** What a crop keeps in its middle as far as it can; null leaves that to what catches the eye. */
  focalPoint: FocalPoint | null;
  contentType: RenditionType;
  /** Encoder quality, 1..100. */
  quality: number;
  /** Most pixels that its decoder holds at once: what the picture weighs among others. */
  heldPixels: number;
};

/**
 * Pixel work, off the caller's thread. Rejects with `MediaError`: CORRUPT_FILE where the picture cannot be decoded, in
 * the time or the memory it may take; PROCESSING_FAILED where its decoder was ended from outside; OVERLOADED where the
 * queue is full, or the decoder was kept from its work.
 */
export type ImagePipeline = {
  /** Content types it can decode. */
  readonly contentTypes: readonly string[];
  /** Reads the header of the file at `path`, whose sniffed type is `contentType`. */
  inspect(path: string, contentType: string): Promise<ImageHeader>;
  /** Decodes once and writes every variant; blanks GPS in the file at `path` in place. */
  render(job: RenderJob): Promise<RenderedImage>;
  /**
   * Decodes the first frame once and writes one file of this size and type, without metadata; answers its path. Waits in
   * a queue of its own, so that uploads always find a process.
   */
  derive(job: DeriveJob): Promise<string>;
  close(): Promise<void>;
};

// ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Either id; a numeric string is tried as an integer id first, then as a public id. */
export type Ref = number | string;

export type Entity = {
  id: number;
  type: EntityType;
  publicId: string;
  name: string | null;
  /** Public id of a user. */
  ownerId: string | null;
  parent: { id: number; type: EntityType; publicId: string } | null;
  createdAt: Date;
  updatedAt: Date;
};

export type Grant = { userId: string; right: "upload"; expiresAt: Date | null; createdAt: Date };

export type EntityUpsert = {
  type: EntityType;
  publicId: string;
  /** Absent: kept, or the next free integer of the type. */
  id?: number | undefined;
  /** Absent leaves, null clears. */
  ownerId?: string | null | undefined;
  parent?: { type: EntityType; publicId: string } | null | undefined;
  name?: string | null | undefined;
  /** Absent leaves; otherwise replaces the whole set. */
  adminIds?: readonly string[] | undefined;
};

/** What ties one user to one entity; facts only, the rule over them is in `access.ts`. */
export type EntityTies = {
  isOwner: boolean;
  isAdmin: boolean;
  isParentOwner: boolean;
  isParentAdmin: boolean;
  hasGrant: boolean;
};

export type EntityDirectory = {
  /** Undefined where there is none or it was deleted. */
  find(type: EntityType, ref: Ref): Promise<Entity | undefined>;
  /** How the user stands to the entity at `now` (grants expire). */
  ties(entity: Entity, userId: string, now: Date): Promise<EntityTies>;
  /**
   * Serialises writers of one entity's galleries: held until the transaction ends. Only inside `transact`. Answers
   * whether the entity is still there.
   */
  lock(entity: Pick<Entity, "type" | "id">): Promise<boolean>;
  /** Creates or updates; revives what was deleted. Throws MediaError CONFLICT where the integer id is another's. */
  upsert(entity: EntityUpsert, now: Date): Promise<Entity>;
  adminIds(entity: Entity): Promise<string[]>;
  children(entity: Entity): Promise<Entity[]>;
  list(query: {
    type: EntityType;
    limit: number;
    after: number | null;
  }): Promise<{ items: Entity[]; nextAfter: number | null }>;
  delete(entity: Entity, now: Date): Promise<void>;
  grant(entity: Entity, grant: { userId: string; right: "upload"; expiresAt: Date | null }, now: Date): Promise<Grant>;
  /** False where there was none. */
  revoke(entity: Entity, userId: string): Promise<boolean>;
  grants(entity: Entity): Promise<Grant[]>;
  /** Every entity the user has any tie to, with the ties, at most `limit`. */
  tied(userId: string, now: Date, limit: number): Promise<{ entity: Pick<Entity, "type" | "id">; ties: EntityTies }[]>;
};

/** Everything of a new row but what the database and the gallery decide. */
export type NewMedia = Omit<Media, "id" | "deletedAt" | "missingSince">;

/** Who may see what, as data: the repository translates it to SQL, `isVisible` in `access.ts` decides one row. */
export type Audience =
  | { sees: "everything" }
  /** What is public, approved and ready; everything this user (if any) uploaded; and all of the entities named. */
  | { sees: "public"; andOwn: string | null; andOf?: readonly Pick<Entity, "type" | "id">[] };

/** Place in a gallery: (sortOrder, orderKey, id), ascending. */
export type GalleryPlace = { sortOrder: number; orderKey: string; id: number };

export type MediaListQuery = {
  entity: Pick<Entity, "type" | "id">;
  field?: EntityField | undefined;
  tag?: string | undefined;
  status?: ModerationStatus | undefined;
  audience: Audience;
  limit: number;
  after: GalleryPlace | null;
};

/** What a stored key belongs to. */
export type KeyOwner = { media: Media; contentType: string; fileSize: number };

/** Enough of an item to tell whether another is the same. */
export type Fingerprint = { publicId: string; contentSha256: string; imageHash: string | null };

export type PlacedFingerprint = Fingerprint & Pick<Media, "id" | "mediaType" | "entityField">;

export type LookAlikeQuery = {
  of: Pick<Media, "contentSha256" | "imageHash" | "mediaType">;
  /** Of the hashes, 0 to 11. */
  maxDistance: number;
  within: Pick<Entity, "type" | "id"> | "everywhere";
  /** Where more are found, the nearest are enough. */
  limit?: number;
};

/** Values a row can change to after its creation. Absent leaves. */
export type MediaChange = Partial<
  Pick<
    Media,
    | "altText"
    | "caption"
    | "tags"
    | "isPublic"
    | "isPrimary"
    | "focalPoint"
    | "sortOrder"
    | "orderKey"
    | "moderationStatus"
    | "deletedAt"
    | "renderedAs"
  >
>;

export type MediaRepository = MediaRenderings & {
  /** Undefined where there is none; trashed items are found too, callers look at `deletedAt`. */
  find(ref: Ref): Promise<Media | undefined>;
  findByKey(key: string): Promise<KeyOwner | undefined>;
  /** Items in gallery order that are not in the trash, with the count of all pages. */
  list(query: MediaListQuery): Promise<{ items: Media[]; total: number }>;
  /**
   * Inserts the row and its variants. A slot's item takes the slot: the database refuses a second current one
   * (CONFLICT), so trash the old one first. The same holds for a second primary item.
   */
  insert(media: NewMedia): Promise<Media>;
  update(id: number, change: MediaChange, now: Date): Promise<void>;
  /** Current items of one field in gallery order, under the lock of a transaction. */
  current(entity: Pick<Entity, "type" | "id">, field: EntityField): Promise<Media[]>;
  /** Current items of an entity, all fields. */
  currentOfEntity(entity: Pick<Entity, "type" | "id">): Promise<Media[]>;
  /**
   * The last place of a gallery, or null when it is empty; with `upTo`, the last whose sortOrder is not greater.
   * Trashed items do not count.
   */
  lastPlace(entity: Pick<Entity, "type" | "id">, field: EntityField, upTo?: number): Promise<GalleryPlace | null>;
  /** Fingerprints of an entity's current items that are not marked, of one field or of all, in gallery order. */
  fingerprints(entity: Pick<Entity, "type" | "id">, field?: EntityField): Promise<PlacedFingerprint[]>;
  /**
   * Fingerprints of the current items of the same media type, not marked, that have the same bytes or a hash at most
   * `maxDistance` places away; by id, and perhaps others among them.
   */
  lookAlikes(query: LookAlikeQuery): Promise<Fingerprint[]>;
  /** In the order of the ids; those that are gone are left out. */
  findMany(ids: readonly number[]): Promise<Media[]>;
  /** The next place before or after `from` among current items of a field, `except` left out; null at the end. */
  neighbour(
    at: { entity: Pick<Entity, "type" | "id">; field: EntityField; from: GalleryPlace; except: number },
    side: "before" | "after",
  ): Promise<GalleryPlace | null>;
  /** Sets many places in one statement; the ids are known to be current items of one field. */
  setPlaces(places: readonly { id: number; sortOrder: number; orderKey: string }[], now: Date): Promise<void>;
  /** Removes the row and its variants for good. Its objects are the caller's to put into the outbox. */
  remove(id: number): Promise<void>;
  /** Items that wait for a decision, oldest first, keyset by (createdAt, id). Not those in the trash. */
  queue(query: {
    statuses: readonly ModerationStatus[];
    limit: number;
    after: { createdAt: Date; id: number } | null;
  }): Promise<Media[]>;
  /** Items found by words and facts, newest first, keyset by id downwards. */
  search(query: MediaSearchQuery): Promise<Media[]>;
  /**
   * Looks at the next items by id, trashed ones too, and makes those findable by words that are not yet: they were
   * stored by a version that kept none. Null where there is no further item.
   */
  indexWords(page: { afterId: number; limit: number }): Promise<{ lastId: number; indexed: number } | null>;
  /** Trashed items older than `trashedBefore`, and imported ones nobody approved older than `importedBefore`. */
  purgeable(query: { trashedBefore: Date; importedBefore: Date; limit: number }): Promise<Media[]>;
  /** Items with their objects by id, of one store or of all; trashed ones too, their bytes are still there. */
  storedItems(query: { afterId: number; limit: number; storageType?: StorageType }): Promise<StoredItem[]>;
  /** How many items a store holds, the trash included. */
  countStored(storageType: StorageType): Promise<number>;
  /**
   * Whether any row, in the trash or not, says that this key is in this store. Inside `transact` the row that names
   * the key, whatever its store, is held until the end, so that it can't change stores meanwhile.
   */
  namesKey(key: string, storageType: StorageType): Promise<boolean>;
  /**
   * Says that an item's objects are in another store now. False where the item is gone or was not in `from`; inside
   * `transact` the row is held until the end. Nothing else of the row changes, `updatedAt` included.
   */
  switchStorage(id: number, move: { from: StorageType; to: StorageType; bucketName: string | null }): Promise<boolean>;
  /** Marks or unmarks an item whose objects are gone from the store. Marked items are left out of lists and search. */
  markMissing(id: number, since: Date | null): Promise<void>;
};

export type MediaSearchQuery = {
  /** Each of its words, as `queryWordsOf` has them, begins a word of alt text, caption or original file name. */
  text?: string | undefined;
  tag?: string | undefined;
  mediaType?: MediaType | undefined;
  status?: ModerationStatus | undefined;
  uploadedBy?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  audience: Audience;
  limit: number;
  /** Only items with a smaller id. */
  beforeId: number | null;
};

/** A promise to store exactly these keys, made before the first byte. */
export type UploadIntent = { id: string; mediaPublicId: string; storageType: StorageType; keys: readonly string[] };

export type IntentLog = {
  open(intent: UploadIntent, now: Date): Promise<void>;
  /** Ends an open intent. False where it is no longer open: a sweeper claimed it, and its bytes may be gone. */
  close(id: string): Promise<boolean>;
  /**
   * Marks an open intent as claimed: its upload failed and its keys may be removed. False where there is none, which
   * after a commit of unknown outcome means that it succeeded: then its keys must stay. Where this rejects it is done
   * with a later heartbeat.
   */
  abandon(id: string): Promise<boolean>;
  /**
   * Marks intents of one store whose process is dead as claimed, so that they can't be closed any more, and answers
   * them, those claimed earlier included, oldest first.
   */
  claimAbandoned(query: { storageType: StorageType; now: Date; limit: number }): Promise<UploadIntent[]>;
  /** Removes a claimed intent once its keys are gone. */
  forget(id: string): Promise<void>;
};

/** The stores of facts; inside `transact` they share one transaction. */
export type Stores = {
  media: MediaRepository;
  entities: EntityDirectory;
  intents: IntentLog;
  moderation: ModerationLog;
  deletions: DeletionOutbox;
  idempotency: IdempotencyLog;
  usage: UsageCounters;
  sync: SyncLog;
  renditions: RenditionLog;
  directUploads: DirectUploadLog;
};

export type Database = Stores & {
  /**
   * Runs the work in one write transaction: all of it or nothing. It may run more than once (deadlock, lock time-out),
   * so the work has no effect but through its stores.
   */
  transact<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
};

// ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Signed, expiring addresses for what not everyone may see. */
export type UrlSigner = {
  /** Query string without `?`. */
  sign(key: string, expiresAt: Date): Promise<string>;
  verify(
    key: string,
    query: { expires?: string | undefined; signature?: string | undefined },
    now: Date,
  ): Promise<boolean>;
};

/** Addresses a browser can load; both null where local storage serves through `baseUrl`. */
export type PublicUrls = { baseUrl: string; cdnUrl: string | null; s3PublicBaseUrl: string | null };

export type Logger = {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
};

/** What goes when its time is over. */
export type Retired =
  | "trash"
  | "import"
  | "abandoned_upload"
  | "direct_upload"
  | "orphan"
  | "idempotency_key"
  | "unfinished_put";

/** What waits, as it stands now. */
export type Backlog = {
  /** Objects that wait for their removal. */
  deletions: number;
  /** Items in the fallback store that are to move to the primary one. */
  promotions: number;
  /** Confirmed differences between rows and objects. */
  missing: number;
  orphaned: number;
  /** Pictures whose variants were made by another table or pipeline than this process's. */
  stale: number;
};

export type StorageOperation = "put" | "get" | "head" | "delete" | "list";

/** Is told what happens, to count and time it. */
export type Metrics = {
  requestFinished(request: { method: string; route: string; status: number; seconds: number }): void;
  uploadFinished(upload: { entityType: string; field: string; outcome: string; bytes: number; seconds: number }): void;
  /** `outcome` is `failed` where the store did not answer, `ok` for every answer, a no included. */
  /** `outcome` is `made`, `unfit` or the failure's code. */
  renditionFinished(rendition: { contentType: RenditionType; outcome: string; seconds: number }): void;
  storageAnswered(request: {
    store: StorageType;
    operation: StorageOperation;
    outcome: "ok" | "failed";
    seconds: number;
  }): void;
  /** Whether requests to the store are let through; false while it is given time to recover. */
  storageAvailable(store: StorageType, isAvailable: boolean): void;
  /** Whether servers count calls together; false while this one counts alone. Not told where nothing is shared. */
  rateLimitsShared(isShared: boolean): void;
  retired(what: Retired, count: number): void;
  backlog(backlog: Backlog): void;
  /** End of the last whole comparison of rows and objects. */
  storageCompared(at: Date): void;
};

/** What queries and changes work with. Every runtime has it. */
export type ServiceDeps = {
  database: Database;
  objects: ObjectStores<KeptObjects>;
  direct: DirectStorage;
  /** What is taken, also where another server takes it. */
  images: Pick<ImagePipeline, "contentTypes">;
  signer: UrlSigner;
  urls: PublicUrls;
  limits: Limits;
  syncPatience: SyncPatience;
  clock: Clock;
  ids: RandomIds;
  log: Logger;
  metrics: Metrics;
};

/** And what files are taken in with: stores that take them, pixels, and a disk to work on. */
export type Deps = Omit<ServiceDeps, "objects" | "images"> & {
  objects: ObjectStores;
  images: ImagePipeline;
  spool: Spool;
  retention: Retention;
  keepGps: boolean;
};
