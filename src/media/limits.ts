/** Limits of the installation; the defaults are the contract's and stand in `config.ts`. Bytes and pixels. */
export type Limits = {
  readonly imageMaxBytes: number;
  readonly avatarMaxBytes: number;
  readonly videoMinBytes: number;
  readonly videoMaxBytes: number;
  readonly minSide: number;
  readonly slotMinSide: number;
  readonly maxSide: number;
  readonly maxPixels: number;
  /** Frames times pixels of one frame. */
  readonly maxAnimatedPixels: number;
  readonly batchMaxFiles: number;
  /** How long the address of a direct upload is good. */
  readonly directMinutes: number;
};

export type Retention = {
  /** Days an item stays in the trash. */
  trashDays: number;
  /** Days an imported item may wait for its approval. */
  importDays: number;
};

/** Minutes and days after which what was seen is believed, and what is believed is acted on. */
export type SyncPatience = {
  /** A missing object must be missing again after this long. */
  confirmMinutes: number;
  /** An object younger than this may belong to an upload under way. */
  graceMinutes: number;
  /** How long a confirmed orphan is kept before it is removed. */
  quarantineDays: number;
  /** Objects a run asks about in a second; 0 or none: as many as the store answers. */
  objectsPerSecond?: number;
};
