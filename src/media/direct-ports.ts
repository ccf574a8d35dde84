/** What direct uploads need from outside: a log of their tickets, and addresses that take bytes. */
import type { EntityField, EntityType } from "./attachments.js";
import type { MediaFailure } from "./errors.js";
import type { ObjectPlace, UploadOutcome } from "./lifecycle-ports.js";
import type { StorageType } from "./model.js";
import type { UploadFields } from "./upload-fields.js";

/** `processing`: somebody began to complete it; where that one's process died, it may be completed all the same. */
export const DIRECT_UPLOAD_STATES = ["waiting", "processing", "ready", "failed"] as const;
export type DirectUploadState = (typeof DIRECT_UPLOAD_STATES)[number];

/** What was promised to whoever wants to put bytes into a store himself. */
export type DirectUpload = {
  /** Unguessable. */
  id: string;
  /** A user's public id or `SERVICE_PRINCIPAL`: the ticket is nobody else's. */
  principal: string;
  entityType: EntityType;
  entityId: number;
  entityField: EntityField;
  filename: string;
  /** As declared; null where nothing was said. */
  contentType: string | null;
  /** Bytes, as declared. */
  fileSize: number;
  /** Lower-case hex, as declared; null where nothing was said. */
  sha256: string | null;
  fields: UploadFields;
  /** Where the bytes lie until they are media. */
  objectKey: string;
  storageType: StorageType;
  state: DirectUploadState;
  /** Given exactly while `failed`. */
  failure: MediaFailure | null;
  /** Given exactly while `ready`. */
  outcome: UploadOutcome | null;
  createdAt: Date;
  /** End of its address. */
  expiresAt: Date;
};

/** What a new ticket begins with; the rest is the log's. */
export type NewDirectUpload = Omit<DirectUpload, "state" | "failure" | "outcome">;

/** Tickets. One is open while it is waiting or processing, and ends once: of several who end it, one wins. */
export type DirectUploadLog = {
  open(ticket: NewDirectUpload): Promise<void>;
  find(id: string): Promise<DirectUpload | undefined>;
  /** Open tickets of a principal whose address is still good at `now`. */
  countOpen(principal: string, now: Date): Promise<number>;
  /** From waiting to processing. False where it was not waiting. */
  begin(id: string): Promise<boolean>;
  /** Back from processing to waiting; of no effect on any other. */
  giveBack(id: string): Promise<void>;
  /** Ends an open ticket as ready. False where it was not open. */
  finish(id: string, outcome: UploadOutcome): Promise<boolean>;
  /** Ends an open ticket as failed. False where it was not open. */
  fail(id: string, failure: MediaFailure): Promise<boolean>;
  /** Whether a ticket that is not cleared names this object. */
  holds(object: ObjectPlace): Promise<boolean>;
  /** Tickets, in whatever state, that are not cleared and whose address ended before then; the oldest first. */
  uncleared(query: { expiredBefore: Date; limit: number }): Promise<DirectUpload[]>;
  /** Says that nothing can arrive any more and that the object's removal was promised. */
  clear(id: string): Promise<void>;
  /** Removes cleared tickets whose address ended before then. Answers how many. */
  forget(expiredBefore: Date): Promise<number>;
};

/** `headers` belong to the address: a request must carry each of them as it is. */
export type PutAddress = { url: string; headers: Readonly<Record<string, string>> };

/** Where clients put bytes themselves: a store that takes them by an address of its own. */
export type DirectStorage = {
  /** The store that holds what was put. */
  readonly type: StorageType;
  /** An address for exactly this object, of the declared size, good until the ticket's end. */
  putAddress(ticket: NewDirectUpload, now: Date): Promise<PutAddress>;
};
