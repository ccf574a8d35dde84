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
};
