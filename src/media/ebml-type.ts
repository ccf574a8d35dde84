/** First four bytes of every EBML document (RFC 8794, 11.2.1). */
const EBML_MAGIC = [0x1a, 0x45, 0xdf, 0xa3] as const;
/** Id of the DocType element (RFC 8794, 11.2.5). */
const DOC_TYPE = [0x42, 0x82] as const;
/** The header is a few dozen bytes; what lies further on is no part of it. */
const HEADER_BYTES = 128;

const TYPE_OF_DOC_TYPE: ReadonlyMap<string, string> = new Map([
  ["webm", "video/webm"],
  ["matroska", "video/x-matroska"],
]);

/** WebM or Matroska by the document type. Looks for the element rather than parse: some writers damage the header. */
export function findEbmlType(head: Uint8Array): string | null {
  if (!EBML_MAGIC.every((byte, i) => head[i] === byte)) return null;
  const header = head.subarray(0, HEADER_BYTES);
  for (let at = EBML_MAGIC.length; at + 3 < header.length; at++) {
    if (header[at] !== DOC_TYPE[0] || header[at + 1] !== DOC_TYPE[1]) continue;
    const type = TYPE_OF_DOC_TYPE.get(docTypeAt(header, at + 2));
    if (type) return type;
  }
  return null;
}

/** The text at a one-byte size (its high bit set), without the zeroes it may be padded with. */
function docTypeAt(header: Uint8Array, at: number): string {
  const size = (header[at] ?? 0) & 0x7f;
  return String.fromCharCode(...header.subarray(at + 1, at + 1 + size)).replace(/\0+$/, "");
}
