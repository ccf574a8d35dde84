import { describe, expect, it } from "vitest";
import { decideWrite, isVisible } from "../../src/media/access.js";
import type { Actor } from "../../src/media/actor.js";
import {
  ATTACHMENTS,
  ENTITY_TYPE_NAMES,
  ENTITY_TYPES,
  type EntityType,
  findAttachment,
} from "../../src/media/attachments.js";
import { placeAt, placeAtEnd } from "../../src/media/gallery-order.js";
import type { Media } from "../../src/media/model.js";
import { MODERATION_STATUSES } from "../../src/media/model.js";
import { findDuplicates, hammingDistance } from "../../src/media/near-duplicates.js";
import type { Audience, EntityTies } from "../../src/media/ports.js";
import { parseUploadFields } from "../../src/media/upload-fields.js";
import { VARIANT_NAMES, VARIANTS } from "../../src/media/variants.js";
import { newMedia } from "../support/media-rows.js";

const NO_TIES: EntityTies = {
  isOwner: false,
  isAdmin: false,
  isParentOwner: false,
  isParentAdmin: false,
  hasGrant: false,
};
const user = (role: "user" | "moderator" | "admin"): Actor => ({ kind: "user", id: "USR-1", role, verified: false });

/** The contract's table: which tie opens which entity type. */
const OPENS: Record<EntityType, readonly (keyof EntityTies)[]> = {
  user: ["isOwner"],
  community: ["isAdmin"],
  amenity: ["isParentAdmin"],
  builder: ["isOwner"],
  property: ["isParentOwner", "hasGrant"],
  sales_rep: ["isOwner"],
  post: ["isOwner"],
};

describe("who may write", () => {
  const cases = ENTITY_TYPE_NAMES.flatMap((type) =>
    (Object.keys(NO_TIES) as (keyof EntityTies)[]).map((tie) => ({ type, tie })),
  );

  it.each(cases)("$tie on $type", ({ type, tie }) => {
    for (const role of ["user", "moderator"] as const) {
      const decision = decideWrite(user(role), "upload", type, { ...NO_TIES, [tie]: true });
      expect(decision).toMatchObject({
        allowed: OPENS[type].includes(tie),
        right: "upload",
        reason: expect.any(String),
      });
    }
  });

  it.each(ENTITY_TYPE_NAMES)("administrators and services on %s, strangers not", (type) => {
    expect(decideWrite(user("admin"), "manage", type, NO_TIES).allowed).toBe(true);
    expect(decideWrite({ kind: "service" }, "manage", type, NO_TIES).allowed).toBe(true);
    expect(decideWrite({ kind: "anonymous" }, "manage", type, NO_TIES).allowed).toBe(false);
  });
});

describe("who sees", () => {
  const everything: Audience = { sees: "everything" };
  const strangers: Audience = { sees: "public", andOwn: null };
  const uploader: Audience = { sees: "public", andOwn: "USR-UP" };
  const row = (change: Partial<Media>) =>
    ({
      id: 1,
      deletedAt: null,
      ...newMedia({ type: "post", id: 1, publicId: "PST-1" }, { uploadedBy: "USR-UP" }),
      ...change,
    }) as Media;

  it.each(MODERATION_STATUSES)("an item that is %s", (moderationStatus) => {
    const media = row({ moderationStatus });
    expect(isVisible(media, strangers)).toBe(moderationStatus === "approved");
    expect(isVisible(media, uploader)).toBe(true);
    expect(isVisible(media, everything)).toBe(true);
  });

  it.each<Partial<Media>>([{ isPublic: false }, { processingStatus: "processing" }, { processingStatus: "failed" }])(
    "an item with %o",
    (change) => {
      expect([strangers, uploader, everything].map((audience) => isVisible(row(change), audience))).toEqual([
        false,
        true,
        true,
      ]);
    },
  );

  it("nobody an item in the trash", () => {
    expect(
      [strangers, uploader, everything].map((audience) => isVisible(row({ deletedAt: new Date() }), audience)),
    ).toEqual([false, false, false]);
  });

  it("an item nobody uploaded belongs to no stranger", () => {
    expect(isVisible(row({ uploadedBy: null, isPublic: false }), strangers)).toBe(false);
  });
});

describe("the tables", () => {
  it("have the contract's twelve routes", () => {
    expect(ATTACHMENTS.map((a) => a.path).sort()).toEqual([
      "/builders/{id}/cover",
      "/builders/{id}/logo",
      "/builders/{id}/portfolio",
      "/communities/{id}/cover",
      "/communities/{id}/logo",
      "/communities/{id}/photos",
      "/communities/{parentId}/amenities/{id}/photos",
      "/posts/{id}/media",
      "/properties/{id}/photos",
      "/sales-reps/{id}/avatar",
      "/users/{id}/avatar",
      "/users/{id}/cover",
    ]);
  });

  it("name parents that exist, and standings that can be held", () => {
    for (const type of ENTITY_TYPE_NAMES) {
      const { parent, writers } = ENTITY_TYPES[type];
      if (parent) expect(ENTITY_TYPES).toHaveProperty(parent);
      if (!parent) expect(writers.filter((w: string) => w.startsWith("parent"))).toEqual([]);
    }
    expect(findAttachment("sales_rep", "cover")).toBeUndefined();
    expect(findAttachment("toString", "avatar")).toBeUndefined();
  });

  it("have variants with different names in keys", () => {
    expect(new Set(VARIANT_NAMES.map((name) => VARIANTS[name].suffix)).size).toBe(VARIANT_NAMES.length);
  });
});

describe("duplicates", () => {
  const hash = (ones: number) => "1".repeat(ones).padEnd(64, "0");
  const item = (publicId: string, contentSha256: string, imageHash: string | null) => ({
    publicId,
    contentSha256,
    imageHash,
  });

  it("have a tier by distance, nearest first", () => {
    const of = { contentSha256: "a", imageHash: hash(0) };
    const others = [
      item("ten", "x", hash(10)),
      item("eleven", "x", hash(11)),
      item("five", "x", hash(5)),
      item("six", "x", hash(6)),
      item("bytes", "a", null),
    ];
    expect(findDuplicates(of, others, "similar")).toEqual([
      { publicId: "bytes", distance: 0, tier: "exact" },
      { publicId: "five", distance: 5, tier: "same" },
      { publicId: "six", distance: 6, tier: "similar" },
      { publicId: "ten", distance: 10, tier: "similar" },
    ]);
    expect(findDuplicates(of, others, "same").map((d) => d.publicId)).toEqual(["bytes", "five"]);
    expect(findDuplicates(of, others, "exact").map((d) => d.publicId)).toEqual(["bytes"]);
  });

  it("are not found between pictures without a hash", () => {
    expect(
      findDuplicates(
        { contentSha256: "a", imageHash: null },
        [item("x", "b", null), item("y", "b", hash(1))],
        "similar",
      ),
    ).toEqual([]);
  });

  it("differ in as many places as the distance says", () => {
    expect([
      hammingDistance(hash(0), hash(64)),
      hammingDistance(hash(3), hash(3)),
      hammingDistance(hash(1), hash(2)),
    ]).toEqual([64, 0, 1]);
  });
});

describe("gallery places", () => {
  it("follow the last one", () => {
    expect(placeAtEnd(null).sortOrder).toBe(0);
    expect(placeAtEnd({ sortOrder: 7, orderKey: "a0", id: 1 }).sortOrder).toBe(8);
  });

  it("of one number are told apart by keys in byte order", () => {
    const first = placeAt(3, { sortOrder: 2, orderKey: "z", id: 1 });
    const second = placeAt(3, { ...first, id: 2 });
    expect([first.sortOrder, second.sortOrder]).toEqual([3, 3]);
    expect(Buffer.compare(Buffer.from(first.orderKey), Buffer.from(second.orderKey))).toBe(-1);
  });
});

describe("form fields", () => {
  const parse = (form: Record<string, string>) => parseUploadFields(new Map(Object.entries(form)));

  it("have defaults, and say nothing when they are empty", () => {
    const defaults = {
      alt_text: null,
      caption: null,
      tags: [],
      is_public: true,
      is_primary: false,
      on_duplicate: "keep",
    };
    expect(parse({})).toEqual(defaults);
    expect(parse({ alt_text: "", caption: " ", tags: " , ", unknown: "x" })).toEqual(defaults);
  });

  it.each([
    ["true", true],
    ["1", true],
    ["on", true],
    ["TRUE", true],
    ["false", false],
    ["0", false],
    ["", false],
  ])("is_public=%s is %s", (text, value) => {
    expect(parse({ is_public: text }).is_public).toBe(value);
    expect(parse({ isPublic: text }).is_public).toBe(value);
  });

  it.each([
    [{ is_public: "maybe" }, "is_public"],
    [{ sort_order: "first" }, "sort_order"],
    [{ sort_order: "1.5" }, "sort_order"],
    [{ sort_order: "3000000000" }, "sort_order"],
    [{ alt_text: "x".repeat(501) }, "alt_text"],
    [{ altText: "x".repeat(501) }, "alt_text"],
    [{ caption: "x".repeat(5001) }, "caption"],
    [{ tags: "x".repeat(51) }, "tags.0"],
    [{ tags: Array.from({ length: 31 }, (_, i) => i).join() }, "tags"],
  ])("refuses %o, naming %s", (form, path) => {
    expect(() => parse(form)).toThrow(
      expect.objectContaining({ failure: { code: "VALIDATION", issues: [expect.objectContaining({ path })] } }),
    );
  });

  it("counts to the limit and no further", () => {
    const longest = {
      alt_text: "x".repeat(500),
      caption: "x".repeat(5000),
      tags: Array.from({ length: 30 }, (_, i) => `${i}`.padEnd(50, "x")).join(),
    };
    expect(parse(longest).tags).toHaveLength(30);
    expect(parse({ tags: "a,b,a , b" }).tags).toEqual(["a", "b"]);
  });
});
