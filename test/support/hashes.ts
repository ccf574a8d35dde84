/** A perceptual hash like any: 64 characters of 0 and 1, each as likely. */
export const randomHash = (random: () => number): string =>
  Array.from({ length: 64 }, () => (random() < 0.5 ? "0" : "1")).join("");

/** The hash with exactly so many places changed, at random. */
export function changed(hash: string, places: number, random: () => number): string {
  const all = Array.from({ length: hash.length }, (_, at) => ({ at, key: random() }));
  const chosen = new Set(
    all
      .sort((a, b) => a.key - b.key)
      .slice(0, places)
      .map(({ at }) => at),
  );
  return Array.from(hash, (bit, at) => (chosen.has(at) ? (bit === "0" ? "1" : "0") : bit)).join("");
}
