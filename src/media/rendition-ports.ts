/**
 * What is kept of pictures made on demand: one row a rendition, from the moment somebody begins to make it. Shares the
 * transaction of the other stores inside `transact`.
 */

/** What a picture can be made into on demand. */
export const RENDITION_TYPES = ["image/avif", "image/webp", "image/jpeg"] as const;
export type RenditionType = (typeof RENDITION_TYPES)[number];

/**
 * `making`: claimed by somebody. `made`: its object is stored. `unfit`: worth no object, because what it would stand
 * for is hardly larger. `failed`: could not be made of these bytes.
 */
export const RENDITION_STATES = ["making", "made", "unfit", "failed"] as const;

/** `spec` says all that makes it what it is, as `rendition-spec.ts` writes it; at most 64 ASCII characters. */
export type RenditionName = { mediaId: number; spec: string };

/** `claim` is unique for ever: of two that believe to make the same rendition the row says who does. */
export type RenditionClaim = RenditionName & { claim: string };

/** As stored; pixels and bytes. */
export type Rendition = { key: string; width: number; height: number; contentType: RenditionType; fileSize: number };

export type RenditionEntry =
  | { state: "making" }
  | { state: "unfit" }
  | { state: "failed" }
  | { state: "made"; rendition: Rendition };

export type RenditionTimes = {
  now: Date;
  /** Claims made before are taken over, whoever holds them; those of dead processes are at once. */
  staleBefore: Date;
  /** What failed before is tried again. */
  retryBefore: Date;
};

export type RenditionLog = {
  /** Undefined where nobody ever began it. */
  find(name: RenditionName): Promise<RenditionEntry | undefined>;
  /**
   * Claims a rendition, or answers what is known of it. Of many at once exactly one is answered `begun`. Throws
   * MEDIA_NOT_FOUND where the item is gone.
   */
  begin(claim: RenditionClaim, times: RenditionTimes): Promise<RenditionEntry | { state: "begun" }>;
  /** Inside the transaction that ends the intent of its object. False where the claim was taken over, or taken away. */
  finish(claim: RenditionClaim, rendition: Rendition, now: Date): Promise<boolean>;
  /** Ends a claim without an object, and remembers why. */
  end(claim: RenditionClaim, as: "unfit" | "failed", now: Date): Promise<void>;
  /** Gives a claim up, so that it can be made by the next who asks. */
  release(claim: RenditionClaim): Promise<void>;
  /** Those that are made, of these items, in any order. */
  madeOf(mediaIds: readonly number[]): Promise<(RenditionName & { key: string })[]>;
  /**
   * Takes all renditions of an item away, or those of these specs, and answers the keys of their objects, which are
   * the caller's to put into the outbox, in the same transaction and for the store the item's row names. Whoever is
   * making one finds his claim gone.
   */
  takeAway(mediaId: number, specs?: readonly string[]): Promise<string[]>;
  /** Takes away the one whose object this is. False where there is none. */
  drop(key: string): Promise<boolean>;
};
