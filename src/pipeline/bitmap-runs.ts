import { type BitmapHeader, truncated } from "./bitmap-header.js";

const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const MOVE = 2;

/** Where the next pixel goes; rows counted as they lie in the file. */
type Canvas = { x: number; row: number; put(index: number): void };

/**
 * Runs of 4 or 8 bits: pairs of a count and an index; a count of 0 escapes to the end of a line or of the picture, a
 * move, or so many indexes as they are (Microsoft, "Bitmap Compression"). One palette index a pixel, from the top left:
 * what no run covers is index 0, what runs beyond the picture is dropped. Throws MediaError CORRUPT_FILE where the file
 * ends without having said so, unless its rows were complete.
 */
export function readRuns(file: Buffer, header: BitmapHeader): Uint8Array {
  const { width, height, bits } = header;
  const indexes = new Uint8Array(width * height);
  const canvas = createCanvas(indexes, header);
  for (let at = header.pixelsAt; at + 1 < file.length; ) {
    const [count, value] = [file[at] as number, file[at + 1] as number];
    at += 2;
    if (count > 0) putRun(canvas, count, value, bits);
    else if (value === END_OF_BITMAP) return indexes;
    else at = follow({ file, at, bits }, value, canvas);
  }
  if (canvas.row < height - 1 || (canvas.row === height - 1 && canvas.x < width)) throw truncated();
  return indexes;
}

function createCanvas(indexes: Uint8Array, { width, height, isTopDown }: BitmapHeader): Canvas {
  const canvas: Canvas = {
    x: 0,
    row: 0,
    put(index) {
      const { x, row } = canvas;
      if (x < width && row < height) indexes[(isTopDown ? row : height - 1 - row) * width + x] = index;
      canvas.x++;
    },
  };
  return canvas;
}

/** Of two pixels in a byte the left one is the higher half. */
const half = (byte: number, n: number): number => (n % 2 === 0 ? byte >> 4 : byte & 15);

function putRun(canvas: Canvas, count: number, value: number, bits: number): void {
  for (let n = 0; n < count; n++) canvas.put(bits === 8 ? value : half(value, n));
}

/** Does what stands behind a count of 0 and answers where the next pair begins. */
function follow(source: { file: Buffer; at: number; bits: number }, value: number, canvas: Canvas): number {
  const { file, at, bits } = source;
  if (value === END_OF_LINE) {
    canvas.x = 0;
    canvas.row++;
    return at;
  }
  if (value === MOVE) {
    if (at + 1 >= file.length) throw truncated();
    canvas.x += file[at] as number;
    canvas.row += file[at + 1] as number;
    return at + 2;
  }
  const bytes = Math.ceil((value * bits) / 8);
  if (at + bytes > file.length) throw truncated();
  for (let n = 0; n < value; n++)
    canvas.put(bits === 8 ? (file[at + n] as number) : half(file[at + (n >> 1)] as number, n));
  return at + bytes + (bytes % 2);
}
