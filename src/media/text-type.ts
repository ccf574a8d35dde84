/** What may stand before the first element: white space, byte order marks, comments, instructions. */
const PROLOGUE = /^(?:\s|<!--[\s\S]*?-->|<\?(?!php)[\s\S]*?\?>)+/i;
/** By how the text goes on behind its prologue; the first match wins. */
const MARKUP: readonly (readonly [RegExp, string])[] = [
  [/^<(?:!doctype\s+)?(?:\w+:)?svg[\s>[/]/i, "image/svg+xml"],
  [/^<(?:!doctype\s+html|html|head|body|script|iframe|meta|title|style|div|table|a|p|br|h1)[\s>/]/i, "text/html"],
  [/^<\?php/i, "text/x-php"],
];

/** Text by its markup: SVG, HTML, PHP, other XML, plain; null for what is no text. UTF-8 and UTF-16, marked or not. */
export function findTextType(head: Uint8Array): string | null {
  const text = decode(head);
  const markup = text.replace(PROLOGUE, "");
  const type = MARKUP.find(([pattern]) => pattern.test(markup))?.[1];
  if (type) return type;
  if (/^\s*<(?:\?xml|!--|!doctype)/i.test(text)) return "application/xml";
  return isPlain(text) ? "text/plain" : null;
}

/** A character cut at the end of the head is left out; bytes that are no text become U+FFFD. */
const decode = (head: Uint8Array): string => new TextDecoder(encodingOf(head)).decode(head, { stream: true });

/** UTF-16 shows by its mark, or by the zero beside the first character of a Western text. */
function encodingOf([first, second]: Uint8Array): "utf-16le" | "utf-16be" | "utf-8" {
  if ((first === 0xff && second === 0xfe) || (first && second === 0)) return "utf-16le";
  if ((first === 0xfe && second === 0xff) || (first === 0 && second)) return "utf-16be";
  return "utf-8";
}

const isPlain = (text: string): boolean => text !== "" && !/[\p{Cc}\uFFFD]/u.test(text.replace(/[\t\n\f\r]/g, ""));
