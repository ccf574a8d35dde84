const UNITS = ["B", "KB", "MB", "GB"] as const;

/** Bytes for people, powers of 1024, two significant digits below ten. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`;
}

/** `800 × 600`, or a dash where the size is not known. */
export const formatSize = (width: number | null, height: number | null): string =>
  width === null || height === null ? "–" : `${width} × ${height}`;

/** In the reader's language and time zone. */
export const formatDate = (iso: string): string =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso));

/** `moderationStatus` → `Moderation status`. */
export function formatName(camelCase: string): string {
  const words = camelCase.replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
