import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import libheif, { type heif_image, type heif_image_handle, type MainModule } from "libheif-js/libheif-wasm/libheif.js";
import { MediaError } from "../media/errors.js";
import type { Pixels } from "./pixels.js";

/** libheif-js is a CommonJS function whose declarations promise a default export; this is the one place that knows. */
const instantiate = libheif as unknown as typeof libheif.default;

const WASM = createRequire(import.meta.url).resolve("libheif-js/libheif-wasm/libheif.wasm");

/** What decoding answers: the picture, or the decoder's words. */
type Plane = { width: number; height: number; stride: number; data: Uint8Array };
type Decoded = { image: heif_image; channels: Plane[] } | Refusal;
type Refusal = { code: unknown; message: string };

/**
 * Decodes the primary picture of a HEIC or HEIF file whose pixels are HEVC, which sharp's own build leaves out. It
 * stands upright: the decoder follows the file's turns and mirrors. Rejects with MediaError CORRUPT_FILE where anything
 * of it is missing or damaged. The caller has limited the size; every call has a decoder of its own, whose memory goes
 * with it, so that nothing a hostile file leaves there meets the next.
 */
export async function decodeHevc(path: string): Promise<Pixels> {
  const [wasmBinary, file] = await Promise.all([readFile(WASM), readFile(path)]);
  const decoder = instantiate({ wasmBinary, print: ignore, printErr: ignore });
  try {
    return copyPixels(decodePrimary(decoder, file));
  } catch (error) {
    if (error instanceof MediaError) throw error;
    // A fault inside WebAssembly is the file's doing, as a codec's signal is.
    throw damaged(error);
  }
}

/** The decoder writes to the console what it also answers. */
const ignore = (): void => undefined;

const damaged = (cause: unknown): MediaError =>
  new MediaError({ code: "CORRUPT_FILE", reason: "its pixels cannot be decoded" }, { cause });

function decodePrimary(decoder: MainModule, file: Buffer): Pixels & { stride: number } {
  const context = decoder.heif_context_alloc();
  const read = decoder.heif_context_read_from_memory(context, file);
  if (read.code !== decoder.heif_error_code.heif_error_Ok) throw damaged(read.message);
  const handle = decoder.heif_js_context_get_primary_image_handle(context) as heif_image_handle | Refusal;
  if ("code" in handle) throw damaged(handle.message);
  const hasAlpha = decoder.heif_image_handle_has_alpha_channel(handle) !== 0;
  const { heif_chroma_interleaved_RGB, heif_chroma_interleaved_RGBA } = decoder.heif_chroma;
  const decoded = decoder.heif_js_decode_image2(
    handle,
    decoder.heif_colorspace.heif_colorspace_RGB,
    hasAlpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB,
  ) as Decoded;
  if ("code" in decoded) throw damaged(decoded.message);
  const [picture] = decoded.channels;
  if (!picture) throw damaged("no picture in it");
  const { data, width, height, stride } = picture;
  return {
    data: Buffer.from(data.buffer, data.byteOffset, data.length),
    width,
    height,
    stride,
    channels: hasAlpha ? 4 : 3,
  };
}

/** Out of the decoder's memory, whose rows are padded. */
function copyPixels({ data, width, height, channels, stride }: Pixels & { stride: number }): Pixels {
  const rowBytes = width * channels;
  const copy = Buffer.allocUnsafe(rowBytes * height);
  for (let y = 0; y < height; y++) data.copy(copy, y * rowBytes, y * stride, y * stride + rowBytes);
  return { data: copy, width, height, channels };
}
