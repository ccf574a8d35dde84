/**
 * Stores of what happens to an item after, and around, its upload. Like all stores they share one transaction inside
 * `transact`.
 */
import type { EntityField, EntityType, MediaType } from "./attachments.js";
import type { DuplicateTier } from "./errors.js";
import type { Media, ModerationStatus, StorageType } from "./model.js";
import type { RetiredObject } from "./rendering-ports.js";

// ── moderation ───────────────────────────────────────────────────────────────────────────────────────────────────

/** One decision. `actorId` is a user's public id, null for a service. */
export type ModerationEvent = {
  id: number;
  mediaId: number;
  actorId: string | null;
  from: ModerationStatus;
  to: ModerationStatus;
  reason: string | null;
  createdAt: Date;
};

export type ModerationLog = {
  add(event: Omit<ModerationEvent, "id">): Promise<void>;
  /** All decisions on one item, oldest first. */
  history(mediaId: number): Promise<ModerationEvent[]>;
};

/** One object: a key in a store. */
export type ObjectPlace = { key: string; storageType: StorageType };

// ── deletion ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** One object to remove. `id` names the entry, not the object. */
export type Deletion = { id: number; key: string; storageType: StorageType; attempts: number };

/** Outbox of object deletions: written in the transaction that removes the row, worked off after its commit. */
export type DeletionOutbox = {
  add(objects: readonly ObjectPlace[], now: Date): Promise<void>;
  /** The same for objects of an item that are to be served until then, by `findRetired`. */
  retire(mediaId: number, objects: readonly RetiredObject[], times: { now: Date; until: Date }): Promise<void>;
  /** What may still be served under a key at this time, and whose it was; null for anything else. */
  findRetired(key: string, now: Date): Promise<(RetiredObject & { mediaId: number }) | null>;
  /** Ends the time of everything an item retired. */
  hasten(mediaId: number, now: Date): Promise<void>;
  /** Entries of one store whose time has come, oldest first. */
  due(query: { storageType: StorageType; now: Date; limit: number }): Promise<Deletion[]>;
  done(ids: readonly number[]): Promise<void>;
  /** Counts the attempt and sets when to try again. */
  postpone(id: number, runAfter: Date): Promise<void>;
  /** Whether a key waits for its removal from this store. */
  holds(object: ObjectPlace): Promise<boolean>;
  size(): Promise<number>;
};

// ── idempotency ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What an upload ended as, enough to answer it again. `reused`: a copy was asked for and found. */
export type UploadOutcome = {
  mediaId: number;
  reused: boolean;
  duplicates: readonly { publicId: string; distance: number; tier: DuplicateTier }[];
};

/** `principal` is as `principalOf` names an actor; keys of different principals never meet. */
export type IdempotencyKey = { principal: string; key: string };

export type IdempotencyEntry =
  /** This call owns the key now. */
  | { state: "begun" }
  /** A living process works on it. */
  | { state: "running"; fingerprint: string }
  | { state: "done"; fingerprint: string; outcome: UploadOutcome };

export type IdempotencyLog = {
  /**
   * Takes the key for this content, or answers who has it. A key whose process is dead, or which is older than
   * `expiresBefore`, is taken over.
   */
  begin(key: IdempotencyKey, fingerprint: string, times: { now: Date; expiresBefore: Date }): Promise<IdempotencyEntry>;
  /** Inside the transaction that commits the item. */
  finish(key: IdempotencyKey, outcome: UploadOutcome): Promise<void>;
  /**
   * Gives a key up that this process began and did not finish, so that it can be tried again. Where this rejects it is
   * done before this process begins the next key, and with a later heartbeat.
   */
  release(key: IdempotencyKey): Promise<void>;
  /** Removes entries begun before then. Answers how many. */
  expire(before: Date): Promise<number>;
};

// ── counters ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** Running totals, kept in step by the media repository in the transaction of each change. Bytes and items. */
export type UsageRow = {
  entityType: EntityType;
  entityField: EntityField;
  mediaType: MediaType;
  moderationStatus: ModerationStatus;
  /** Public id of the uploader, null for services. */
  uploadedBy: string | null;
  /** Items in the trash still hold bytes; they are counted apart. */
  isTrashed: boolean;
  items: number;
  originalBytes: number;
  variants: number;
  variantBytes: number;
};

/** Uploads of one UTC day, counted when they are committed and never taken back. */
export type UploadDay = { day: string; entityType: EntityType; mediaType: MediaType; items: number; bytes: number };

export type UsageCounters = {
  /** Rows that are not zero. */
  usage(filter: { entityType?: EntityType | undefined }): Promise<UsageRow[]>;
  /** Days from `from` to `to`, both `YYYY-MM-DD` and both included, oldest first. */
  uploadDays(range: { from: string; to: string }): Promise<UploadDay[]>;
};

// ── consistency ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A difference between rows and objects that was seen and is watched until it is sure. */
export type StorageFinding = {
  id: number;
  kind: "missing" | "orphan";
  storageType: StorageType;
  key: string;
  /** The item whose object is missing; null for an orphan. */
  mediaId: number | null;
  firstSeenAt: Date;
  /** When it was seen again, long enough after; null while it is a suspicion only. An orphan is quarantined then. */
  confirmedAt: Date | null;
};

export type SyncRun = {
  id: number;
  startedAt: Date;
  /** Null while it runs, or where it was stopped. */
  finishedAt: Date | null;
  /** Where to go on: the phase and what was looked at last, a row id or `{store}/{object key}`. */
  phase: "rows" | "objects" | "done";
  position: string | null;
  checked: number;
  missing: number;
  orphaned: number;
  /** Objects the store did not answer about. */
  unknown: number;
};

/** How a run begins. */
export const NOTHING_COMPARED = {
  finishedAt: null,
  phase: "rows",
  position: null,
  checked: 0,
  missing: 0,
  orphaned: 0,
  unknown: 0,
} as const satisfies Omit<SyncRun, "id" | "startedAt">;

export type SyncLog = {
  /** The unfinished run, or a new one. */
  resume(now: Date): Promise<SyncRun>;
  save(run: SyncRun): Promise<void>;
  /** The last run that came to its end, or null. */
  lastFinished(): Promise<SyncRun | null>;
  /** Null where the object was not seen, or was cleared since. */
  find(kind: StorageFinding["kind"], object: ObjectPlace): Promise<StorageFinding | null>;
  /** Notes a sighting: first seen now, or seen again. Answers the finding. */
  sight(finding: Pick<StorageFinding, "kind" | "storageType" | "key" | "mediaId">, now: Date): Promise<StorageFinding>;
  confirm(id: number, now: Date): Promise<void>;
  /** The object is back, or is claimed after all. */
  clear(kind: StorageFinding["kind"], object: ObjectPlace): Promise<void>;
  findings(query: { kind: StorageFinding["kind"]; confirmedBefore?: Date; limit: number }): Promise<StorageFinding[]>;
  counts(): Promise<{ missing: number; orphaned: number }>;
};

/** An item as those who look after its bytes read it. Sizes in bytes, the original first. */
export type StoredItem = Pick<Media, "id" | "publicId" | "storageType" | "isPublic" | "missingSince"> & {
  objects: { key: string; contentType: string; fileSize: number }[];
};
