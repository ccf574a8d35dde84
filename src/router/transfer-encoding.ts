/**
 * The bytes of a part as its Content-Transfer-Encoding says. RFC 7578, 4.7 has given these up, but old clients send
 * base64; the other encodings (7bit, 8bit, binary) are the bytes themselves.
 */
export const decodedChunks = (chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncIterable<Uint8Array> =>
  isBase64(encoding) ? decodeBase64(chunks) : chunks;

export const decodedText = (text: string, encoding: string): string =>
  isBase64(encoding) ? Buffer.from(text, "base64").toString("utf8") : text;

const isBase64 = (encoding: string): boolean => encoding.trim().toLowerCase() === "base64";

/** Four characters are three bytes; what a chunk cuts apart waits for the next one. Line breaks count for nothing. */
async function* decodeBase64(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest = "";
  for await (const chunk of chunks) {
    const text = rest + Buffer.from(chunk).toString("latin1").replaceAll(/\s/g, "");
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole > 0) yield Buffer.from(text.slice(0, whole), "base64");
  }
  if (rest !== "") yield Buffer.from(rest, "base64");
}
