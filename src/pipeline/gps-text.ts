/**
 * Positions written out as text with their names, as JSON assertions of content credentials, camera trailers and
 * text chunks have them: `"exif:GPSLatitude":"39,3.08N"`, `latitude=39.05`.
 */
const NAMED_COORDINATE =
  /(?:latitude|longt?itude)\w{0,24}["']?\s{0,8}[:=]\s{0,8}(["']?)([-+]?\d[\d.,:°'/ NSEWnsew+-]{0,40})/gi;

/** Blanks quoted coordinates with spaces and bare ones with a zero and spaces, so that JSON stays JSON. True when any was there. */
export function blankNamedCoordinates(bytes: Buffer): boolean {
  let changed = false;
  for (const match of bytes.toString("latin1").matchAll(NAMED_COORDINATE)) {
    const [matched, quote, found = ""] = match;
    const value = quote ? (found.split(quote)[0] ?? "") : found.replace(/[,\s]+$/, "");
    const blanked = quote ? " ".repeat(value.length) : "0".padEnd(value.length);
    bytes.write(blanked, match.index + matched.length - found.length, "latin1");
    changed ||= blanked !== value;
  }
  return changed;
}
