import { describe, expect, it } from "vitest";
import { blankNamedCoordinates } from "../../src/pipeline/gps-text.js";

function blanked(text: string): string {
  const bytes = Buffer.from(text, "latin1");
  const changed = blankNamedCoordinates(bytes);
  expect(changed).toBe(bytes.toString("latin1") !== text);
  expect(blankNamedCoordinates(bytes)).toBe(false);
  return bytes.toString("latin1");
}

describe("coordinates named in text", () => {
  it.each([
    [`"exif:GPSLatitude":"39,21.102N"`, `"exif:GPSLatitude":"          "`],
    [`"exif:GPSLongitude" : '74.26'`, `"exif:GPSLongitude" : '     '`],
    [`{"latitude":-51.5090,"b":1}`, `{"latitude":0       ,"b":1}`],
    [`{"longitude": 7}`, `{"longitude": 0}`],
    ["LATITUDE=51.5", "LATITUDE=0   "],
    [`GPSLatitude: 43 28' 2.81" N`, `GPSLatitude: 0          " N`],
    ["GpsLongtitude=+007.1455", "GpsLongtitude=0        "],
  ])("are blanked in %s", (text, expected) => {
    expect(blanked(text)).toBe(expected);
  });

  it("leave JSON as JSON", () => {
    const place = { latitude: -51.509, gpsLongitude: "7.1455 E", altitude: 20, list: [1, 2] };
    expect(JSON.parse(blanked(JSON.stringify(place)))).toEqual({ ...place, latitude: 0, gpsLongitude: " ".repeat(8) });
  });

  it.each([
    "the exposure latitude of this film",
    "latitude: unknown",
    `"altitude": 340`,
    "latitude 51.5",
    `"latitude": null`,
    "\xff\xd8\0\x01",
    "",
  ])("are not seen in %j", (text) => {
    expect(blanked(text)).toBe(text);
  });
});
