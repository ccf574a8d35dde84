import { RENDITION_TYPES, type RenditionType } from "../media/rendition-ports.js";

/**
 * The types a caller likes a picture in, best first: those that `Accept` names itself, by its weights and else in the
 * order of `RENDITION_TYPES`, down to `stored`, which everybody is given where nothing better is to be had. A wildcard
 * speaks for `stored` alone: who sends one may be a program that knows JPEG and no more.
 */
export function preferredTypes(accept: string | undefined, stored: RenditionType): RenditionType[] {
  const weights = parseAccept(accept ?? "");
  const ofStored = weights.get(stored) ?? weights.get("image/*") ?? weights.get("*/*") ?? 0;
  const weightOf = (type: RenditionType) => (type === stored ? ofStored : (weights.get(type) ?? 0));
  const liked = RENDITION_TYPES.filter((type) => type === stored || weightOf(type) > 0);
  // The sort is stable: at equal weights the order of the table stays.
  const byWeight = liked.sort((a, b) => weightOf(b) - weightOf(a));
  return byWeight.slice(0, byWeight.indexOf(stored) + 1);
}

/** Media ranges, lower-case and without parameters, and their weights (RFC 9110, 12.5.1); of one named twice the first. */
function parseAccept(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const entry of accept.split(",")) {
    const [range = "", ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
    if (range !== "" && !weights.has(range)) weights.set(range, weightIn(parameters));
  }
  return weights;
}

/** 0 where the weight cannot be read: what is not understood is not asked for. */
function weightIn(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, "");
  if (weight === undefined) return 1;
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0;
}
