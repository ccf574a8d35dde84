/**
 * A random UUID (version 4). Pages that did not come over TLS have no `randomUUID`, and React Native has no `crypto` at
 * all: there `Math.random` does, since a key only has to differ from the other keys of its principal.
 */
export function createIdempotencyKey(): string {
  const { crypto } = globalThis as { crypto?: Partial<Crypto> };
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else
    bytes.forEach((_, at) => {
      bytes[at] = Math.floor(Math.random() * 256);
    });
  return format(bytes);
}

/** Sixteen bytes as a UUID; version and variant are overwritten. */
function format(bytes: Uint8Array): string {
  const fixed = bytes.map((byte, at) => (at === 6 ? (byte & 0x0f) | 0x40 : at === 8 ? (byte & 0x3f) | 0x80 : byte));
  const hex = [...fixed].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
