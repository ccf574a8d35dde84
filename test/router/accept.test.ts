import { describe, expect, it } from "vitest";
import { preferredTypes } from "../../src/router/accept.js";

const AVIF = "image/avif";
const WEBP = "image/webp";
const JPEG = "image/jpeg";

describe("what a caller likes a picture in", () => {
  it.each<[string | undefined, string[]]>([
    [undefined, [JPEG]],
    ["", [JPEG]],
    ["*/*", [JPEG]],
    ["image/*", [JPEG]],
    ["text/html,application/xhtml+xml,*/*;q=0.8", [JPEG]],
    [AVIF, [AVIF, JPEG]],
    [WEBP, [WEBP, JPEG]],
    ["IMAGE/WebP , */*", [WEBP, JPEG]],
    // Chromium, Firefox and Safari, of an <img>.
    ["image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", [AVIF, WEBP, JPEG]],
    ["image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", [AVIF, WEBP, JPEG]],
    [
      "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/*,*/*;q=0.5",
      [AVIF, WEBP, JPEG],
    ],
    ["image/avif;q=0.5,image/webp", [WEBP, AVIF, JPEG]],
    ["image/avif;q=0.5,image/webp;q=0.9,*/*;q=0.7", [WEBP, JPEG]],
    ["image/webp;q=0.5,image/jpeg", [JPEG]],
    ["image/avif;q=0.5,image/*;q=0.4,*/*", [AVIF, JPEG]],
    ["image/avif;q=0,image/webp;q=0.001", [WEBP, JPEG]],
    ["image/avif;profile=a;q=0.3,image/webp;Q=0.4", [WEBP, AVIF, JPEG]],
    ["image/webp,image/jpeg;q=0", [WEBP, JPEG]],
    // What cannot be read asks for nothing.
    ["image/avif;q=high,image/webp;q=2,;q=1,,", [JPEG]],
    ["image/avif;q=0.1,image/avif", [AVIF, JPEG]],
    ["image/avifs,ximage/webp,image/gif", [JPEG]],
  ])("%j", (accept, types) => {
    expect(preferredTypes(accept, JPEG)).toEqual(types);
  });

  it.each<[string | undefined, string[]]>([
    [undefined, [WEBP]],
    ["image/jpeg", [WEBP]],
    ["image/avif,*/*", [AVIF, WEBP]],
    ["image/avif;q=0.5,image/webp", [WEBP]],
    ["image/avif,image/webp,image/jpeg", [AVIF, WEBP]],
  ])("%j, where JPEG would lose what is transparent", (accept, types) => {
    expect(preferredTypes(accept, WEBP).filter((type) => type !== JPEG)).toEqual(types);
  });
});
