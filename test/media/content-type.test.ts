import { closeSync, openSync, readSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  ACCEPTED_IMAGE_TYPES,
  ACCEPTED_VIDEO_TYPES,
  detectForeign,
  isContentType,
  mediaTypeOf,
  sniffContentType,
} from "../../src/media/content-type.js";
import { type CorpusRow, corpusPath, corpusRows, noCorpus } from "../support/corpus.js";

/** One byte a character. */
const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const utf16 = (text: string, { bigEndian = false, mark = "" } = {}): Uint8Array => {
  const bytes = Buffer.from(text, "utf16le");
  return new Uint8Array(Buffer.concat([Buffer.from(mark, "latin1"), bigEndian ? bytes.swap16() : bytes]));
};
const size = (bytes: number): string => String.fromCharCode(...[24, 16, 8, 0].map((shift) => (bytes >> shift) & 0xff));

/** A `ftyp` box with its brands, and the beginning of what follows. */
const ftyp = (major: string, ...compatible: string[]): Uint8Array =>
  latin1(`${size(16 + 4 * compatible.length)}ftyp${major}\0\0\x02\0${compatible.join("")}\0\0\x10\0moov`);
const riff = (form: string): Uint8Array => latin1(`RIFF\x10\0\0\0${form}VP8 \0\0\0\0`);
const bitmap = (headerBytes: number): Uint8Array =>
  latin1(`BM\x46\0\0\0\0\0\0\0\x36\0\0\0${String.fromCharCode(headerBytes)}\0\0\0\x10`);
const ebml = (docType: string): Uint8Array =>
  latin1(
    `\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82${String.fromCharCode(0x80 + docType.length)}${docType}\x42\x87\x81\x04`,
  );
const png = latin1("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01");

describe("what is stored", () => {
  it.each<[string, Uint8Array]>([
    ["image/jpeg", latin1("\xff\xd8\xff\xe0\0\x10JFIF")],
    ["image/jpeg", latin1("\xff\xd8\xff\xe1\0\x10Exif")],
    ["image/jpeg", latin1("\xff\xd8\xff")],
    ["image/png", png],
    ["image/gif", latin1("GIF87a\x01\0\x01\0")],
    ["image/gif", latin1("GIF89a\x01\0\x01\0")],
    ["image/webp", riff("WEBP")],
    ["image/tiff", latin1("II*\0\x08\0\0\0\0\0\0\0")],
    ["image/tiff", latin1("MM\0*\0\0\0\x08\0\0\0\0")],
    ["image/bmp", bitmap(40)],
    ["image/bmp", bitmap(12)],
    ["image/bmp", bitmap(124)],
    ["video/x-msvideo", riff("AVI ")],
    ["video/webm", ebml("webm")],
    ["video/webm", ebml("webm\0\0")],
    ["video/x-matroska", ebml("matroska")],
    ["image/avif", ftyp("avif", "mif1")],
    ["image/avif", ftyp("avis", "msf1")],
    ["image/avif", ftyp("mif1", "mif1", "avif", "miaf")],
    ["image/avif", ftyp("msf1", "avis")],
    ["image/heic", ftyp("heic", "mif1")],
    ["image/heic", ftyp("heix")],
    ["image/heic", ftyp("heim")],
    ["image/heic", ftyp("heis")],
    ["image/heic", ftyp("hevc", "msf1")],
    ["image/heic", ftyp("hevx")],
    ["image/heif", ftyp("mif1", "mif1", "heic")],
    ["image/heif", ftyp("mif1")],
    ["image/heif", ftyp("msf1", "hevc")],
    ["video/quicktime", ftyp("qt  ", "qt  ")],
    ["video/x-m4v", ftyp("M4V ", "isom", "mp42")],
    ["video/x-m4v", ftyp("M4VH", "isom")],
    ["video/x-m4v", ftyp("M4VP", "isom")],
    ["video/mp4", ftyp("isom", "iso2", "avc1", "mp41")],
    ["video/mp4", ftyp("mp41")],
    ["video/mp4", ftyp("mp42", "M4V ")],
    ["video/mp4", ftyp("avc1")],
    ["video/mp4", ftyp("iso2")],
    ["video/mp4", ftyp("iso9")],
    ["video/mp4", ftyp("dash", "iso6")],
    ["video/mp4", ftyp("what", "ever", "isom")],
    ["video/quicktime", latin1(`${size(1000)}moov${size(108)}mvhd`)],
    ["video/quicktime", latin1(`${size(5000)}mdat\0\0\0\0`)],
    ["video/quicktime", latin1(`${size(1)}mdat\0\0\0\0\x10\0\0\0`)],
    ["video/quicktime", latin1(`${size(8)}wide${size(5000)}mdat`)],
    ["video/quicktime", latin1(`${size(12)}free\0\0\0\0${size(5000)}mdat`)],
    ["video/quicktime", latin1(`${size(8)}skip${size(5000)}moov`)],
  ])("is recognised as %s by its first bytes", (type, head) => {
    expect(sniffContentType(head)).toBe(type);
    expect(detectForeign(head)).toBeNull();
  });

  it("is recognised wherever the bytes lie in their buffer", () => {
    for (const head of [png, bitmap(40), ftyp("heic"), ebml("webm")]) {
      const padded = new Uint8Array(head.length + 20).fill(0x42);
      padded.set(head, 7);
      expect(sniffContentType(padded.subarray(7, 7 + head.length))).toBe(sniffContentType(head));
    }
  });

  it("is a picture or a video, each once", () => {
    expect(ACCEPTED_IMAGE_TYPES).toHaveLength(9);
    expect(ACCEPTED_VIDEO_TYPES).toHaveLength(6);
    for (const type of ACCEPTED_IMAGE_TYPES) expect(mediaTypeOf(type)).toBe("IMAGE");
    for (const type of ACCEPTED_VIDEO_TYPES) expect(mediaTypeOf(type)).toBe("VIDEO");
    for (const type of ["image/svg+xml", "", "constructor"]) {
      expect(mediaTypeOf(type)).toBeNull();
      expect(isContentType(type)).toBe(false);
    }
  });
});

describe("what is not stored", () => {
  const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';

  it.each<[string, Uint8Array]>([
    ["image/svg+xml", utf8(SVG)],
    ["image/svg+xml", utf8(`\ufeff${SVG}`)],
    ["image/svg+xml", utf8(`\n\t  ${SVG}`)],
    ["image/svg+xml", utf8(`<?xml version="1.0"?>\n<!-- a -->\n<!-- > -->${SVG}`)],
    ["image/svg+xml", utf8('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><svg/>')],
    ["image/svg+xml", utf8('<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "a.dtd"><svg>')],
    ["image/svg+xml", utf8('<svg:svg xmlns:svg="http://www.w3.org/2000/svg">')],
    ["image/svg+xml", utf8("<SVG>")],
    ["image/svg+xml", utf16(SVG)],
    ["image/svg+xml", utf16(SVG, { mark: "\xff\xfe" })],
    ["image/svg+xml", utf16(SVG, { mark: "\xff\xfe\xff\xfe" })],
    ["image/svg+xml", utf16(SVG, { bigEndian: true })],
    ["image/svg+xml", utf16(`<?xml version="1.0"?> <!-- x -->${SVG}`, { bigEndian: true, mark: "\xfe\xff" })],
    ["text/html", utf8("<!doctype html><html><body>")],
    ["text/html", utf8("  <HTML>")],
    ["text/html", utf8("<!-- a page --><script>alert(1)</script>")],
    ["text/html", latin1("<html><title>caf\xe9</title>")],
    ["application/xml", utf8('<?xml version="1.0"?><plist>')],
    ["application/xml", utf8(`<!-- ${"x".repeat(5000)}`)],
    ["text/x-php", utf8("<?php system($_GET[0]);")],
    ["text/plain", utf8("this is stuff")],
    ["text/plain", utf8("#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n")],
    ["text/plain", utf8("ffconcat version 1.0\r\nfile /etc/passwd\r\n")],
    ["text/plain", utf8("é".repeat(100)).subarray(0, 199)],
    ["text/plain", utf8("BMW is no bitmap, however it begins")],
    ["text/plain", utf8("GIF89 is no GIF")],
    ["application/gzip", latin1("\x1f\x8b\x08\0\0\0\0\0")],
    ["application/zip", latin1("PK\x03\x04\x14\0")],
    ["application/pdf", latin1("%PDF-1.7\n%\xe2\xe3")],
    ["application/vnd.microsoft.portable-executable", latin1("MZ\x90\0\x03\0")],
    ["application/x-executable", latin1("\x7fELF\x02\x01\x01\0")],
    ["image/jxl", latin1("\xff\x0a\xb2\x13\xe8\x7f")],
    ["image/jxl", latin1("\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ")],
    ["image/jp2", latin1("\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ")],
    ["image/x-bigtiff", latin1("II+\0\x08\0\0\0")],
    ["image/x-bigtiff", latin1("MM\0+\0\x08\0\0")],
    ["image/x-canon-cr2", latin1("II*\0\x10\0\0\0CR\x02\0")],
    ["image/x-canon-cr3", ftyp("crx ", "isom")],
    ["image/vnd.adobe.photoshop", latin1("8BPS\0\x01")],
    ["audio/wav", riff("WAVE")],
    ["audio/mp4", ftyp("M4A ", "isom", "mp42")],
    ["video/3gpp", ftyp("3gp4", "isom", "iso2")],
    ["video/3gpp2", ftyp("3g2a", "isom")],
    ["video/mj2", ftyp("mjp2")],
    ["video/x-flv", latin1("FLV\x01\x05\0\0\0\x09")],
    ["application/ogg", latin1("OggS\0\x02")],
  ])("is named for the refusal: %s", (type, head) => {
    expect(sniffContentType(head)).toBeNull();
    expect(detectForeign(head)).toBe(type);
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["zeroes", new Uint8Array(4096)],
    ["one byte", latin1("\xff")],
    ["a JPEG cut after two bytes", latin1("\xff\xd8")],
    ["a PNG signature alone", png.subarray(0, 8)],
    ["a PNG signature, then noise", latin1("\x89PNG\r\n\x1a\n\x8d\x87Q\\gU\xd0\x95h\xba")],
    ["a PNG whose line breaks were changed", latin1("\x89PNG\n\n\x1a\n\0\0\0\nIHDR\0\0")],
    ["RIFF of an unknown form", riff("ACON")],
    ["BM with an impossible header", bitmap(41)],
    ["BM cut before its header", bitmap(40).subarray(0, 16)],
    ["EBML of another kind", ebml("other")],
    [
      "EBML that names its type far outside the header",
      latin1(`\x1a\x45\xdf\xa3\x80${"\xec".repeat(300)}\x42\x82\x84webm`),
    ],
    ["a box that is too small for its brands", latin1("\0\0\0\x08ftypisom\0\0\0\0")],
    ["unknown brands", ftyp("abcd", "efgh")],
    ["a known brand behind the end of the box", latin1(`${size(16)}ftypabcd\0\0\0\0isomisomisom`)],
    ["a media segment without its beginning", latin1(`${size(2012)}moof${size(16)}mfhd\0`)],
    ["a movie without a movie header", latin1(`${size(1000)}moov${size(108)}text\0`)],
    ["padding that leads nowhere", latin1(`${size(8)}wide${size(5000)}text\0`)],
    ["samples of no size", latin1(`${size(8)}mdat\0\0\0\0\x01`)],
    ["fuzz that looks like boxes", latin1("    meta \xff\xff\xff    iprp\0\0\0   ")],
  ])("is not recognised: %s", (_, head) => {
    expect(sniffContentType(head)).toBeNull();
    expect(detectForeign(head)).toBeNull();
  });

  it("does not become a video by text that spells a box", () => {
    expect(sniffContentType(utf8("look mdat here"))).toBeNull();
    expect(sniffContentType(utf8("    moov    mvhd"))).toBeNull();
  });

  it.each([" ", "\n", "\0", "\ufeff", "<!-- -->"])("hides behind no leading %j", (lead) => {
    for (const head of [png, latin1("\xff\xd8\xff\xe0"), latin1("GIF89a"), ftyp("mp42"), ebml("webm"), riff("WEBP")])
      expect(sniffContentType(Uint8Array.from([...utf8(lead), ...head]))).toBeNull();
  });
});

describe("any head", () => {
  it("gets at most one of the two answers, however it is cut", () => {
    const heads = [
      png,
      bitmap(40),
      ftyp("mif1", "avif"),
      ebml("matroska"),
      riff("AVI "),
      utf16("<svg>"),
      utf8("<?xml ?>é"),
    ];
    for (const head of heads)
      for (let length = 0; length <= head.length; length++) {
        const cut = head.subarray(0, length);
        expect(sniffContentType(cut) === null || detectForeign(cut) === null).toBe(true);
      }
  });

  it("made to slow down a search for comments is answered all the same", () => {
    for (const text of [
      "<!--".repeat(1024),
      "<!---->".repeat(585),
      "<?".repeat(2048),
      " ".repeat(4096),
      "<!-- -->".repeat(512),
    ])
      expect(sniffContentType(utf8(text))).toBeNull();
  });
});

describe.skipIf(noCorpus)("real files", () => {
  const FOLDERS = ["broken", "exif", "formats", "hostile", "neardup", "orientation", "video"];
  /** Types no bytes tell, and what is said instead. */
  const UNTOLD: Readonly<Record<string, string | null>> = {
    "application/octet-stream": null,
    "inode/x-empty": null,
    "image/x-mvg": "text/plain",
  };
  /** The manifest says HTML of what it describes as an SVG in UTF-16; both are refused. */
  const foreignOf = ({ file, true_type = "" }: CorpusRow): string | null =>
    file === "hostile/text-utf16.jpg"
      ? "image/svg+xml"
      : (UNTOLD[true_type] ?? (true_type in UNTOLD ? null : true_type));

  const headOf = (file: string): Uint8Array => {
    const head = new Uint8Array(4096);
    const descriptor = openSync(corpusPath(file), "r");
    const length = readSync(descriptor, head, 0, head.length, 0);
    closeSync(descriptor);
    return head.subarray(0, length);
  };

  it.each(FOLDERS)("in %s are what the manifest says they are", (folder) => {
    const rows = corpusRows(folder).filter((row) => row.true_type);
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      const head = headOf(row.file);
      const stored = isContentType(row.true_type ?? "");
      expect(sniffContentType(head), row.file).toBe(stored ? row.true_type : null);
      expect(detectForeign(head), row.file).toBe(stored ? null : foreignOf(row));
    }
  });
});
