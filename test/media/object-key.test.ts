import { describe, expect, it } from "vitest";
import { ATTACHMENTS, findAttachment } from "../../src/media/attachments.js";
import { ACCEPTED_IMAGE_TYPES, ACCEPTED_VIDEO_TYPES, CONTENT_TYPES } from "../../src/media/content-type.js";
import { isOwnKey, type KeyParts, originalKey, PROBE_KEY, variantKey } from "../../src/media/object-key.js";
import { VARIANT_NAMES, VARIANTS } from "../../src/media/variants.js";
import { createRandomIds } from "../../src/security/random-ids.js";

const attachmentOf = (entityType: string, field: string) => {
  const attachment = findAttachment(entityType, field);
  if (!attachment) throw new Error(`No attachment ${entityType}.${field}`);
  return attachment;
};

const keyOf = (parts: Partial<KeyParts> = {}): string =>
  originalKey({
    attachment: attachmentOf("user", "avatar"),
    entityPublicId: "USR-1",
    mediaType: "IMAGE",
    contentType: "image/jpeg",
    at: new Date("2026-11-22T09:08:07.654Z"),
    random: "0123456789abcdef",
    ...parts,
  });

describe("the key of an original", () => {
  it.each([
    ["user", "avatar", "users/avatars/ID/2026-11/avatar-20261122090807-0123456789abcdef.jpg"],
    ["user", "cover", "users/covers/ID/2026-11/cover-20261122090807-0123456789abcdef.jpg"],
    ["community", "gallery", "communities/photos/ID/2026-11/photo-20261122090807-0123456789abcdef.jpg"],
    ["community", "avatar", "communities/avatars/ID/2026-11/avatar-20261122090807-0123456789abcdef.jpg"],
    ["amenity", "gallery", "amenities/photos/ID/2026-11/photo-20261122090807-0123456789abcdef.jpg"],
    ["builder", "gallery", "builders/photos/ID/2026-11/gallery-20261122090807-0123456789abcdef.jpg"],
    ["property", "gallery", "properties/photos/ID/2026-11/photo-20261122090807-0123456789abcdef.jpg"],
    ["sales_rep", "avatar", "sales-reps/avatars/ID/2026-11/avatar-20261122090807-0123456789abcdef.jpg"],
    ["post", "gallery", "posts/photos/ID/2026-11/photo-20261122090807-0123456789abcdef.jpg"],
  ])("of %s.%s tells where it belongs", (entityType, field, expected) => {
    expect(keyOf({ attachment: attachmentOf(entityType, field), entityPublicId: "ID" })).toBe(expected);
  });

  it("of a video stands among the videos, whatever the field", () => {
    const attachment = attachmentOf("post", "gallery");
    expect(keyOf({ attachment, mediaType: "VIDEO", contentType: "video/mp4" })).toBe(
      "posts/videos/USR-1/2026-11/video-20261122090807-0123456789abcdef.mp4",
    );
  });

  it("has the form of the contract at every attachment and for every type", () => {
    const form =
      /^(users|communities|properties|builders|sales-reps|posts|amenities)\/(avatars|covers|photos|videos)\/USR-1\/2026-11\/(avatar|cover|photo|gallery|video)-20261122090807-0123456789abcdef\.[a-z0-9]{3,4}$/;
    for (const attachment of ATTACHMENTS) {
      for (const contentType of ACCEPTED_IMAGE_TYPES) expect(keyOf({ attachment, contentType })).toMatch(form);
      for (const contentType of ACCEPTED_VIDEO_TYPES)
        expect(keyOf({ attachment, contentType, mediaType: "VIDEO" })).toMatch(form);
    }
  });

  it.each([
    ["image/jpeg", "jpg"],
    ["image/png", "png"],
    ["image/gif", "gif"],
    ["image/webp", "webp"],
    ["image/avif", "avif"],
    ["image/tiff", "tiff"],
    ["image/bmp", "bmp"],
    ["image/heic", "heic"],
    ["image/heif", "heif"],
    ["video/mp4", "mp4"],
    ["video/quicktime", "mov"],
    ["video/x-m4v", "m4v"],
    ["video/webm", "webm"],
    ["video/x-matroska", "mkv"],
    ["video/x-msvideo", "avi"],
  ])("of %s ends in .%s", (contentType, extension) => {
    expect(keyOf({ contentType }).endsWith(`.${extension}`)).toBe(true);
  });

  it("is in UTC and keeps its digits at the edges of the calendar", () => {
    expect(keyOf({ at: new Date("2026-12-31T23:30:00-05:00") })).toContain("/2027-01/avatar-20270101043000-");
    expect(keyOf({ at: new Date("2027-01-01T00:30:00+02:00") })).toContain("/2026-12/avatar-20261231223000-");
    expect(keyOf({ at: new Date("2026-02-03T04:05:06.999Z") })).toContain("/2026-02/avatar-20260203040506-");
  });

  it.each(["image/svg+xml", "text/html", "", "toString", "image/JPEG"])("does not exist for %j", (contentType) => {
    expect(() => keyOf({ contentType })).toThrow(TypeError);
    expect(() => variantKey("a.jpg", "_thumb", contentType)).toThrow(TypeError);
  });

  it.each([
    ["BLD-PSALMSFINE-0420", "BLD-PSALMSFINE-0420"],
    ["a.b_c-D9", "a.b_c-D9"],
    ["a..b", "a..b"],
    ["a/b", "a-b"],
    ["a\\b", "a-b"],
    ["../../etc", "--..-etc"],
    ["..", "-"],
    [".", "-"],
    ["...", "-"],
    [".hidden", "-hidden"],
    ["", "-"],
    ["a b+c&d", "a-b-c-d"],
    ["é🏡\0", "---"],
    ["a\nb", "a-b"],
  ])("holds the public id %j as the segment %j", (entityPublicId, segment) => {
    expect(keyOf({ entityPublicId }).split("/")).toEqual(["users", "avatars", segment, "2026-11", expect.any(String)]);
  });
});

describe("the key of a variant", () => {
  const original = keyOf({ contentType: "image/png" });

  it.each([
    ["_thumb", "image/jpeg", "_thumb.jpg"],
    ["_small", "image/webp", "_small.webp"],
    ["_medium", "image/png", "_medium.png"],
  ])("carries %s and the extension of %s", (suffix, contentType, end) => {
    expect(variantKey(original, suffix, contentType)).toBe(original.replace(".png", end));
  });

  it("differs from the original's and from every other variant's", () => {
    const types = Object.keys(CONTENT_TYPES);
    const keys = types.flatMap((type) =>
      VARIANT_NAMES.map((name) => variantKey(original, VARIANTS[name].suffix, type)),
    );
    expect(new Set([original, ...keys]).size).toBe(keys.length + 1);
  });

  it("leaves dots elsewhere in the key alone", () => {
    expect(variantKey("users/a.b/c.d.jpg", "_thumb", "image/webp")).toBe("users/a.b/c.d_thumb.webp");
    expect(variantKey("users/a.b/name", "_thumb", "image/webp")).toBe("users/a.b/name_thumb.webp");
  });
});

describe("a key of this system", () => {
  const own = "builders/photos/BLD-1/2026-11/gallery-20261122090807-0123456789abcdef.jpg";

  const originals = ATTACHMENTS.flatMap((attachment) =>
    Object.entries(CONTENT_TYPES).flatMap(([contentType, { mediaType }]) =>
      ["BLD-1", "..", "", "é🏡", "a".repeat(64), ".a.b"].map((entityPublicId) =>
        keyOf({ attachment, contentType, mediaType, entityPublicId, random: createRandomIds().keyPart() }),
      ),
    ),
  );

  it("is every one it makes, at every attachment, of every type, for every id", () => {
    expect(originals.filter((key) => !isOwnKey(key))).toEqual([]);
  });

  it("is every variant of them", () => {
    const suffixes = VARIANT_NAMES.map((name) => VARIANTS[name].suffix);
    const variants = originals.flatMap((key) =>
      suffixes.flatMap((suffix) => ["image/jpeg", "image/webp"].map((type) => variantKey(key, suffix, type))),
    );
    expect(variants.length).toBe(originals.length * 8);
    expect(variants.filter((key) => !isOwnKey(key))).toEqual([]);
  });

  it("is that of a self-test", () => {
    expect([own, PROBE_KEY, "self-test/0123456789abcdef"].map(isOwnKey)).toEqual([true, true, true]);
  });

  it.each([
    "",
    "stray.jpg",
    "notes/self-test/a",
    "self-test/",
    "self-test/a/b",
    `other/${own}`,
    `/${own}`,
    `${own}.bak`,
    `${own}\n`,
    ` ${own}`,
    own.replace("builders", "Builders"),
    own.replace("builders/photos", "users/photos"),
    own.replace("photos", "covers"),
    own.replace("gallery-", "photo-"),
    own.replace("BLD-1", "B/LD-1"),
    own.replace("BLD-1", ".hidden"),
    own.replace("BLD-1", ""),
    own.replace("2026-11", "2026"),
    own.replace("20261122090807", "2026112209080"),
    own.replace("0123456789abcdef", "0123456789ab"),
    own.replace("0123456789abcdef", "0123456789ABCDEF"),
    own.replace(".jpg", ".jpeg"),
    own.replace(".jpg", ".html"),
    own.replace(".jpg", ""),
    own.replace(".jpg", "_huge.jpg"),
    own.replace(".jpg", "_thumb_small.jpg"),
  ])("is not %j", (key) => {
    expect(isOwnKey(key)).toBe(false);
  });
});
