/**
 * Brands of the ISO base media file format (ISO/IEC 14496-12; registered at mp4ra.org), by the type they stand for.
 * What is not stored is named too, since its files also carry general brands such as `isom`. Four characters each,
 * spaces included.
 */
const BRANDS: Readonly<Record<string, string>> = {
  "image/avif": "avif,avis",
  "image/heic": "heic,heix,heim,heis,hevc,hevx,hevm,hevs",
  "image/heif": "mif1,mif2,msf1",
  "video/quicktime": "qt  ",
  "video/x-m4v": "M4V ,M4VH,M4VP",
  "video/mp4":
    "isom,iso2,iso3,iso4,iso5,iso6,iso7,iso8,iso9,isoa,isob,isoc,mp41,mp42,mp71,avc1,hvc1,av01,dash,cmfc,cmf2,mmp4,MSNV,XAVC",
  "audio/mp4": "M4A ,M4B ,M4P ,F4A ,F4B ",
  "video/x-f4v": "F4V ,F4P ",
  "video/3gpp": "3gp1,3gp2,3gp3,3gp4,3gp5,3gp6,3gp7,3gp8,3gp9,3gs6,3gs7,3ge6,3gg6",
  "video/3gpp2": "3g2a,3g2b,3g2c",
  "image/x-canon-cr3": "crx ",
  "image/jp2": "jp2 ,jpx ,jpm ",
  "video/mj2": "mjp2",
  "image/jxl": "jxl ",
};

const TYPE_OF_BRAND: ReadonlyMap<string, string> = new Map(
  Object.entries(BRANDS).flatMap(([type, brands]) => brands.split(",").map((brand) => [brand, type] as const)),
);

/** Smallest `ftyp` box: size, type, major brand, minor version. */
const MIN_FTYP_BYTES = 16;

/**
 * By the major brand, or where that is unknown by the first known compatible one. Pictures of the general brands
 * `mif1` and `msf1` are AVIF when they say they are compatible with it. Files without brands are old QuickTime.
 */
export function findIsoMediaType(head: Uint8Array): string | null {
  if (fourCharacters(head, 4) !== "ftyp") return isOldQuickTime(head) ? "video/quicktime" : null;
  const brands = brandsOf(head);
  const type = brands.map((brand) => TYPE_OF_BRAND.get(brand)).find((found) => found !== undefined);
  if (type === "image/heif" && brands.some((brand) => TYPE_OF_BRAND.get(brand) === "image/avif")) return "image/avif";
  return type ?? null;
}

/** Major brand first, then the compatible ones as far as the head reaches. */
function brandsOf(head: Uint8Array): string[] {
  const size = uint32(head, 0);
  if (size < MIN_FTYP_BYTES) return [];
  const brands = [fourCharacters(head, 8)];
  for (let at = MIN_FTYP_BYTES; at + 4 <= Math.min(size, head.length); at += 4) brands.push(fourCharacters(head, at));
  return brands;
}

/** Types of the second box, or of the first one's first child, that make the first box believable. */
const FOLLOWERS: Readonly<Record<string, readonly string[]>> = {
  moov: ["mvhd", "cmov", "rmra"],
  wide: ["mdat", "moov"],
  free: ["mdat", "moov", "free", "skip", "wide"],
  skip: ["mdat", "moov", "free", "skip", "wide"],
};

/**
 * QuickTime files before 2001 begin with a movie, its samples or padding (QuickTime File Format, "Atoms"). A size of
 * four printable characters is taken for text.
 */
function isOldQuickTime(head: Uint8Array): boolean {
  const type = fourCharacters(head, 4);
  const size = uint32(head, 0);
  if (/^[\x20-\x7e]{4}$/.test(fourCharacters(head, 0))) return false;
  if (type === "mdat") return size > 8 || (size === 1 && uint32(head, 8) === 0 && uint32(head, 12) > 16);
  const inner = fourCharacters(head, type === "moov" ? 12 : size + 4);
  return size >= 8 && (FOLLOWERS[type]?.includes(inner) ?? false);
}

/** As Latin-1; shorter than four where the head ends. */
const fourCharacters = (head: Uint8Array, at: number): string => String.fromCharCode(...head.subarray(at, at + 4));

/** Big-endian; what lies behind the head counts as zero. */
const uint32 = (head: Uint8Array, at: number): number =>
  [0, 1, 2, 3].reduce((value, i) => value * 256 + (head[at + i] ?? 0), 0);
