import { describe, expect, it } from "vitest";
import { blankXmp, blankXmpPackets } from "../../src/pipeline/gps-xmp.js";
import { XMP_POSITION, XMP_WITH_GPS, xmpPacket } from "./gps-material.js";

/** The text once blanked, and whether it was; its length never changes. */
function blanked(text: string): { changed: boolean; text: string } {
  const bytes = Buffer.from(text);
  const changed = blankXmp(bytes);
  expect(bytes.length).toBe(Buffer.byteLength(text));
  return { changed, text: bytes.toString() };
}

const spaces = (text: string): string => " ".repeat(Buffer.byteLength(text));
const swapped = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();

describe("position in XMP", () => {
  it.each([
    `exif:GPSLatitude="51,30.5N"`,
    `exif:GPSLongitude='7,8.7W'`,
    `exif:GPSAltitude = "340/1"`,
    `exif:GPSTimeStamp="2020-01-02T03:04:05Z"`,
    `drone-dji:GpsLatitude="+51.5"`,
    `drone-dji:GpsLongtitude="+7.1"`,
    `Pose:Latitude="51.5"`,
    `Camera:Longitude="7.1"`,
    `geo:lat="51.5"`,
    `geo:long="7.1"`,
    `GPS:Speed="3"`,
    `gpsLatitude="51.5"`,
    `exif:GPSAreaInformation="a &quot;place&quot; über dem Fluß"`,
  ])("goes as an attribute: %s", (attribute) => {
    const packet = xmpPacket(`tiff:Make="Acme" ${attribute} tiff:Model="One"`);
    expect(blanked(packet)).toEqual({ changed: true, text: packet.replace(attribute, spaces(attribute)) });
  });

  it.each([
    "<exif:GPSLatitude>51,30.5N</exif:GPSLatitude>",
    "<exif:GPSLatitude\n>51,30.5N</exif:GPSLatitude >",
    `<exif:GPSLatitude rdf:value="51"/>`,
    "<exif:GPSPosition><rdf:Seq><rdf:li>51.5</rdf:li><rdf:li>7.1</rdf:li></rdf:Seq></exif:GPSPosition>",
    `<drone-dji:GpsLongtitude xml:lang="x-default">7.1</drone-dji:GpsLongtitude>`,
    "<Latitude>51.5</Latitude>",
  ])("goes as an element: %s", (element) => {
    const packet = xmpPacket("", `<tiff:Make>Acme</tiff:Make>${element}<tiff:Model>One</tiff:Model>`);
    expect(blanked(packet)).toEqual({ changed: true, text: packet.replace(element, spaces(element)) });
  });

  it("goes from structures inside the description", () => {
    const place = `<rdf:li rdf:parseType="Resource"><Iptc4xmpExt:City>Arezzo</Iptc4xmpExt:City><exif:GPSLatitude>${XMP_POSITION}</exif:GPSLatitude></rdf:li>`;
    const { text } = blanked(
      xmpPacket("", `<Iptc4xmpExt:LocationCreated><rdf:Bag>${place}</rdf:Bag></Iptc4xmpExt:LocationCreated>`),
    );
    expect(text).not.toContain(XMP_POSITION);
    expect(text).toContain("<Iptc4xmpExt:City>Arezzo</Iptc4xmpExt:City> ");
  });

  it.each([
    `tiff:Make="Acme"`,
    `xmlns:gps="http://example.com/gps"`,
    `exifEX:ISOSpeedLatitudeyyy="3"`,
    `crs:Platform="flat"`,
    `dc:relation="a plateau"`,
    `drone-dji:RelativeAltitude="+20"`,
    `photoshop:City="Longitude"`,
  ])("is not seen in %s", (attribute) => {
    const packet = xmpPacket(attribute);
    expect(blanked(packet)).toEqual({ changed: false, text: packet });
  });

  it.each([
    ["UTF-8 with a mark", (text: string) => Buffer.from(`\ufeff${text}`)],
    ["UTF-16, little endian", (text: string) => Buffer.from(text, "utf16le")],
    ["UTF-16, big endian", swapped],
    ["UTF-16 at an odd place", (text: string) => Buffer.concat([Buffer.from([0]), Buffer.from(text, "utf16le")])],
    ["UTF-32, little endian", (text: string) => wide(text, 0)],
    ["UTF-32, big endian", (text: string) => wide(text, 3)],
  ])("goes in %s", (_, encode) => {
    const bytes = encode(XMP_WITH_GPS);
    const clean = encode(blanked(XMP_WITH_GPS).text);
    expect(blankXmp(bytes)).toBe(true);
    expect(bytes.equals(clean)).toBe(true);
    expect(blankXmp(bytes)).toBe(false);
  });

  it("goes where the XML is damaged and a reader would still see it", () => {
    expect(blanked(`<rdf:Description tiff:Make="x exif:GPSLatitude="51"`).text).not.toContain("51");
    expect(blanked(`<rdf:Description tiff:Make="x"exif:GPSLatitude="51">`).text).not.toContain("51");
    expect(blanked(`exif:GPSLatitude="51,30`).text).not.toContain("51");
    expect(blanked(`exif:GPSLatitude="51,30<tiff:Make>A</tiff:Make>`).text).toBe(
      `${spaces(`exif:GPSLatitude="51,30`)}<tiff:Make>A</tiff:Make>`,
    );
    expect(blanked("<exif:GPSLatitude>51").text).not.toContain("51");
    expect(blanked("<exif:GPSLatitude>51</exif:GPSLat").text).not.toContain("51");
    expect(blanked("<exif:GPSLatitude").text).toBe("<exif:GPSLatitude");
    expect(blanked(`exif:GPSLat\u0001tude="51"`).text).not.toContain("51");
    expect(blanked(`tiff:Mak:exif:GPSLatitude="51"`).text).not.toContain("51");
  });

  it("is not looked for in nothing", () => {
    expect(blankXmp(Buffer.alloc(0))).toBe(false);
    expect(blankXmp(Buffer.alloc(3))).toBe(false);
  });
});

describe("XMP packets among other bytes", () => {
  const noise = Buffer.from(`\xff\xd8 exif:GPSLatitude="99" \0\x01`, "latin1");

  it.each(["utf8", "utf16le"] as const)("are found in %s and blanked within their bounds", (encoding) => {
    const packet = Buffer.from(XMP_WITH_GPS, encoding);
    const bytes = Buffer.concat([noise, packet, noise, packet, noise]);
    expect(blankXmpPackets(bytes)).toBe(true);
    expect(bytes.includes(Buffer.from(XMP_POSITION, encoding))).toBe(false);
    expect(bytes.subarray(0, noise.length).equals(noise)).toBe(true);
    expect(bytes.subarray(-noise.length).equals(noise)).toBe(true);
    expect(blankXmpPackets(bytes)).toBe(false);
  });

  it("may be without their outer element, or without an end", () => {
    const inner = XMP_WITH_GPS.slice(XMP_WITH_GPS.indexOf("<rdf:RDF"));
    for (const text of [inner, inner.slice(0, -20)]) {
      const bytes = Buffer.concat([noise, Buffer.from(text)]);
      expect(blankXmpPackets(bytes)).toBe(true);
      expect(bytes.includes(XMP_POSITION)).toBe(false);
    }
  });

  it("are left alone where they hold no position", () => {
    const bytes = Buffer.concat([noise, Buffer.from(xmpPacket(`tiff:Make="Acme"`)), noise]);
    const before = Buffer.from(bytes);
    expect(blankXmpPackets(bytes)).toBe(false);
    expect(bytes.equals(before)).toBe(true);
  });
});

/** UTF-32, whose characters hold ASCII in their first or last byte. */
function wide(text: string, asciiAt: 0 | 3): Buffer {
  const bytes = Buffer.alloc(text.length * 4);
  for (let i = 0; i < text.length; i++) bytes[i * 4 + asciiAt] = text.charCodeAt(i);
  return bytes;
}
