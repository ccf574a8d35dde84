import { VARIANTS, type VariantName, type VariantSpec } from "./variants.js";

/**
 * Raised by hand with every change of the pipeline that stored variants should follow: encoders and their settings,
 * resampling, colour, how a crop is laid. What `VARIANTS` says is told by itself.
 */
export const PIPELINE_VERSION = 1;

export type VariantTable = Readonly<Partial<Record<VariantName, VariantSpec>>>;

/** What variants are made by, in a word: the pipeline's version, and a digest of the table. 18 characters or so. */
export function renderingOf(table: VariantTable, pipelineVersion: number): string {
  const rows = Object.entries(table).map(([name, { width, height, fit, quality }]) =>
    [name, width, height, fit, quality].join(" "),
  );
  return `${pipelineVersion}-${fnv1a64(rows.sort().join("\n"))}`;
}

/** What this process makes variants by; `Media.renderedAs` of an item that has them. */
export const RENDERING = renderingOf(VARIANTS, PIPELINE_VERSION);

/** Those whose crop follows a focal point. */
export const CROPPED_VARIANTS: VariantTable = Object.fromEntries(
  Object.entries(VARIANTS).filter(([, spec]: [string, VariantSpec]) => spec.fit === "cover"),
);

/**
 * Before `renderedAs` while the crops of an item do not follow its focal point. A word of its own, so that these few
 * are found by the index, apart from all that an upgrade made stale.
 */
export const UNFOCUSED = "focus:";

/** Its crops are to be made anew, whatever else it was made by. */
export const withoutFocus = (renderedAs: string | null): string =>
  renderedAs?.startsWith(UNFOCUSED) ? renderedAs : `${UNFOCUSED}${renderedAs ?? ""}`;

/** What the item is made by once its crops follow the focal point. */
export function withFocus(renderedAs: string | null): string | null {
  if (!renderedAs?.startsWith(UNFOCUSED)) return renderedAs;
  return renderedAs.slice(UNFOCUSED.length) || null;
}

/** FNV-1a, 64 bits, as 16 hex digits: tells tables apart, and needs no asynchronous digest where a constant is wanted. */
function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
