import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { lettersOf } from "../support/gallery.js";
import { scenery } from "../support/pictures.js";
import { makePlatform, type PlatformTokens } from "../support/platform.js";
import { type Answer, type Parts, startTestServer, type TestServer, type UploadResult } from "../support/server.js";

type Failure = { code: string; issues: { path: string }[]; publicId: string; tier: string; distance: number };
type Batch = {
  uploaded: MediaOut[];
  uploadedCount: number;
  failed: { index: number; filename: string; code: string; retryable: boolean }[];
  failedCount: number;
  message: string;
} & Failure;

describe("sending again", () => {
  let server: TestServer;
  let tokens: PlatformTokens;
  let picture: Buffer;
  let other: Buffer;
  let builder: string;
  let entities = 0;

  beforeAll(async () => {
    server = await startTestServer();
    tokens = await makePlatform(server);
    picture = await scenery(400, 300).jpeg({ quality: 90 }).toBuffer();
    other = await scenery(400, 300, 2).jpeg().toBuffer();
  });
  beforeEach(async () => {
    builder = `BLD-${++entities}`;
    await server.entity("builder", builder, { ownerId: "USR-OWNER" });
  });
  afterAll(() => server.stop());

  type Sent = {
    bytes?: Uint8Array;
    name?: string;
    token?: string;
    to?: string;
    form?: readonly (readonly [string, string])[];
    key?: string;
  };
  const send = ({ bytes = picture, name = "a.jpg", token, to, form = [], key }: Sent = {}) =>
    server.post<UploadResult & Failure>(
      `/v1/media/builders/${to ?? `${builder}/portfolio`}`,
      token ?? tokens.owner,
      [...form, ["file", [bytes, name]]],
      key === undefined ? {} : { "idempotency-key": key },
    );
  const items = async (id = builder) =>
    (await server.call<{ items: MediaOut[] }>("GET", `/v1/media/entity/builder/${id}`, { token: tokens.owner })).body
      .items;
  const isReplay = ({ headers }: Pick<Answer, "headers">) => headers.get("idempotent-replay") === "true";
  const stored = async () => (await server.files()).stored.filter((file) => file.includes(`/${builder}/`));

  describe("under an Idempotency-Key", () => {
    it("answers the first result again", async () => {
      const first = await send({ key: "k1" });
      expect([first.status, isReplay(first)]).toEqual([201, false]);
      for (let n = 0; n < 2; n++) {
        const again = await send({ key: "k1" });
        expect([again.status, isReplay(again)]).toEqual([200, true]);
        expect(again.body).toEqual(first.body);
      }
      expect(await items()).toHaveLength(1);
      expect(await stored()).toHaveLength(2);
    });

    it("answers the duplicates that were found the first time", async () => {
      const { media } = (await send()).body;
      const first = await send({ key: "k2" });
      expect(first.body.duplicates).toEqual([{ publicId: media.publicId, distance: 0, tier: "exact" }]);
      expect((await send({ key: "k2" })).body.duplicates).toEqual(first.body.duplicates);
    });

    it.each([
      ["other bytes", () => ({ bytes: other })],
      ["another file name", () => ({ name: "b.jpg" })],
      ["another field", () => ({ form: [["alt_text", "else"]] as const })],
      ["a field more", () => ({ form: [["is_primary", "true"]] as const })],
      ["another slot of the entity", () => ({ to: `${builder}/cover` })],
      ["another entity", () => ({ to: "BLD-PSALMSFINE-0420/portfolio" })],
      ["another wish for duplicates", () => ({ form: [["on_duplicate", "reuse"]] as const })],
    ])("is refused with %s", async (what, change) => {
      await send({ key: `mismatch-${what.replaceAll(" ", "-")}` });
      const before = await stored();
      const again = await send({ key: `mismatch-${what.replaceAll(" ", "-")}`, ...change() });
      expect(again).toMatchObject({ status: 422, body: { code: "IDEMPOTENCY_MISMATCH" } });
      expect([await items(), await stored()]).toEqual([[expect.anything()], before]);
    });

    it("is the same however the fields are spelled and ordered", async () => {
      const form = [
        ["alt_text", "A house"],
        ["caption", "At dusk"],
      ] as const;
      const first = await send({ key: "k3", form });
      const respelled = [
        ["caption", "At dusk"],
        ["altText", "A house"],
      ] as const;
      const again = await send({ key: "k3", form: respelled });
      expect([again.status, again.body]).toEqual([200, first.body]);
    });

    it("is another principal's own", async () => {
      const first = await send({ key: "k4" });
      const second = await send({ key: "k4", token: tokens.admin });
      expect([first.status, second.status]).toEqual([201, 201]);
      expect(second.body.media.id).not.toBe(first.body.media.id);
      expect((await send({ key: "k4", token: tokens.admin })).body.media.id).toBe(second.body.media.id);
    });

    it("counts upper and lower case apart", async () => {
      expect([(await send({ key: "k5" })).status, (await send({ key: "K5" })).status]).toEqual([201, 201]);
      expect(await items()).toHaveLength(2);
    });

    it("is free again after an attempt that failed", async () => {
      const broken = Buffer.concat([picture.subarray(0, 600), Buffer.alloc(10)]);
      expect(await send({ key: "k6", bytes: broken })).toMatchObject({ status: 400, body: { code: "CORRUPT_FILE" } });
      await send();
      const rejected = await send({ key: "k6", form: [["on_duplicate", "reject"]] });
      expect(rejected).toMatchObject({ status: 409, body: { code: "DUPLICATE" } });
      const good = await send({ key: "k6", bytes: other });
      expect([good.status, isReplay(good)]).toEqual([201, false]);
    });

    it("does not go round the permission", async () => {
      await send({ key: "k7" });
      await server.entity("builder", builder, { ownerId: "USR-STRANGER" });
      expect(await send({ key: "k7" })).toMatchObject({ status: 403, body: { code: "FORBIDDEN" } });
    });

    it("answers for an item that went to the trash meanwhile, and leaves it there", async () => {
      const first = await send({ key: "k8" });
      await server.call("DELETE", `/v1/media/${first.body.media.id}`, { token: tokens.owner });
      const again = await send({ key: "k8" });
      expect([again.status, again.body.media.id, isReplay(again)]).toEqual([200, first.body.media.id, true]);
      expect(await items()).toEqual([]);
    });

    it("answers the slot's former item and does not bring it back", async () => {
      const to = `${builder}/cover`;
      const first = await send({ key: "k9", to });
      const second = await send({ key: "k10", to, bytes: other });
      expect((await send({ key: "k9", to })).body.media.id).toBe(first.body.media.id);
      expect((await items()).map((media) => media.id)).toEqual([second.body.media.id]);
    });

    it("no longer knows what was deleted for good", async () => {
      const { media } = (await send({ key: "k11" })).body;
      await server.service("DELETE", `/v1/media/${media.id}?permanent=true`);
      expect(await send({ key: "k11" })).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
    });

    it.each([
      ["empty", ""],
      ["with a space", "a b"],
      ["longer than 200 characters", "x".repeat(201)],
      ["not ASCII", "clé"],
    ])("that is %s is refused", async (_, key) => {
      expect(await send({ key })).toMatchObject({
        status: 400,
        body: { code: "VALIDATION", issues: [{ path: "Idempotency-Key" }] },
      });
      expect(await items()).toEqual([]);
    });

    it("may be 200 characters of any visible ASCII", async () => {
      const key = "!~\"'%;\\".padEnd(200, "x");
      expect([(await send({ key })).status, (await send({ key })).status]).toEqual([201, 200]);
    });
  });

  describe("a batch under an Idempotency-Key", () => {
    const sendBatch = (files: readonly (readonly [string, Uint8Array])[], key: string, form: Parts = []) =>
      server.post<Batch>(
        "/v1/media/batch/upload",
        tokens.owner,
        [
          ["entity_type", "builder"],
          ["entity_id", builder],
          ["entity_field", "gallery"],
          ...form,
          ...files.map(([name, bytes]) => ["files", [bytes, name]] as const),
        ],
        { "idempotency-key": key },
      );

    it("answers all of it again", async () => {
      const files = [
        ["a", picture],
        ["b", other],
        ["c", picture],
      ] as const;
      const first = await sendBatch(files, "b1");
      expect([first.status, isReplay(first), lettersOf(first.body.uploaded)]).toEqual([201, false, "abc"]);
      const again = await sendBatch(files, "b1");
      expect([again.status, isReplay(again), again.body]).toEqual([200, true, first.body]);
      expect(lettersOf(await items())).toBe("abc");
    });

    it("that failed in part stores what was missing, and only that", async () => {
      const files = [
        ["a", picture],
        ["b", other],
        ["c", await scenery(400, 300, 3).jpeg().toBuffer()],
      ] as const;
      const reject = [["on_duplicate", "reject"]] as const;
      const inTheWay = (await send({ bytes: other })).body.media;
      const first = await sendBatch(files, "b2", reject);
      expect(first).toMatchObject({
        status: 207,
        body: { uploadedCount: 2, failed: [{ index: 1, code: "DUPLICATE" }] },
      });
      await server.call("DELETE", `/v1/media/${inTheWay.id}`, { token: tokens.owner });
      const again = await sendBatch(files, "b2", reject);
      expect([again.status, isReplay(again), lettersOf(again.body.uploaded)]).toEqual([201, false, "abc"]);
      const [a, , c] = again.body.uploaded;
      expect([a, c]).toEqual(first.body.uploaded);
      expect(
        Array.from(lettersOf(await items()))
          .sort()
          .join(""),
      ).toBe("abc");
      const whole = await sendBatch(files, "b2", reject);
      expect([whole.status, isReplay(whole), whole.body.uploaded]).toEqual([200, true, again.body.uploaded]);
    });

    it("that failed in part fails in the same part and doubles nothing", async () => {
      const broken = Buffer.concat([picture.subarray(0, 600), Buffer.alloc(10)]);
      const files = [
        ["t", Buffer.from("no picture")],
        ["a", picture],
        ["x", broken],
        ["b", other],
      ] as const;
      const first = await sendBatch(files, "b3");
      const failed = [
        { index: 0, filename: "t", code: "UNSUPPORTED_TYPE", retryable: false },
        { index: 2, filename: "x", code: "CORRUPT_FILE", retryable: false },
      ];
      expect(first).toMatchObject({ status: 207, body: { uploadedCount: 2, failed } });
      const again = await sendBatch(files, "b3");
      expect([again.status, again.body]).toEqual([207, first.body]);
      expect(lettersOf(await items())).toBe("ab");
    });

    it.each([
      ["other bytes", [["a", "other"]], "keep"],
      ["other fields", [["a", "picture"]], "reject"],
      [
        "a file more",
        [
          ["a", "picture"],
          ["z", "other"],
        ],
        "keep",
      ],
      [
        "other bytes behind a file that is refused",
        [
          ["t", "text"],
          ["a", "other"],
        ],
        "keep",
      ],
    ] as const)("with %s is refused whole", async (what, files, wish) => {
      const key = `b4-${what.replaceAll(" ", "-")}`;
      const text = Buffer.from("no picture");
      const bytes = { picture, other, text };
      await sendBatch(
        files[0][0] === "t"
          ? [
              ["t", text],
              ["a", picture],
            ]
          : [["a", picture]],
        key,
      );
      const sent = files.map(([name, which]) => [name, bytes[which]] as const);
      expect(await sendBatch(sent, key, [["on_duplicate", wish]])).toMatchObject({
        status: 422,
        body: { code: "IDEMPOTENCY_MISMATCH" },
      });
      expect(lettersOf(await items())).toBe("a");
    });

    it("with other bytes in a later place refuses that file and stores nothing", async () => {
      await sendBatch(
        [
          ["a", picture],
          ["b", picture],
        ],
        "b6",
      );
      const again = await sendBatch(
        [
          ["a", picture],
          ["b", other],
        ],
        "b6",
      );
      expect(again).toMatchObject({ status: 207, body: { failed: [{ index: 1, code: "IDEMPOTENCY_MISMATCH" }] } });
      expect(lettersOf(await items())).toBe("ab");
    });

    it("shares no key with a single upload", async () => {
      await sendBatch([["a", picture]], "b5");
      for (const key of ["b5", "b5#0", "b5-0"]) expect((await send({ key, bytes: other })).status).toBe(201);
    });

    it("refuses a key that is none", async () => {
      expect(await sendBatch([["a", picture]], "a b")).toMatchObject({ status: 400, body: { code: "VALIDATION" } });
      expect(await items()).toEqual([]);
    });
  });

  describe("a duplicate", () => {
    const wish = (on_duplicate: string, sent: Sent = {}) => send({ ...sent, form: [["on_duplicate", on_duplicate]] });
    let encodedAnew: Buffer;

    beforeAll(async () => {
      encodedAnew = await scenery(400, 300).jpeg({ quality: 40 }).toBuffer();
    });

    it.each([
      ["exact", () => picture],
      ["same", () => encodedAnew],
    ] as const)("that is %s is kept and reported, refused, or answered with what is there", async (tier, bytes) => {
      const { media } = (await send()).body;
      const found = { publicId: media.publicId, tier };
      const before = await stored();
      expect(await wish("reject", { bytes: bytes() })).toMatchObject({
        status: 409,
        body: { code: "DUPLICATE", ...found, distance: expect.any(Number) },
      });
      const reused = await wish("reuse", { bytes: bytes() });
      expect(reused).toMatchObject({ status: 200, body: { media, duplicates: [found] } });
      expect(isReplay(reused)).toBe(false);
      expect(await stored()).toEqual(before);
      expect(await wish("keep", { bytes: bytes() })).toMatchObject({ status: 201, body: { duplicates: [found] } });
      const unasked = await send({ bytes: bytes() });
      expect([unasked.status, unasked.body.duplicates]).toEqual([
        201,
        expect.arrayContaining([reused.body.duplicates[0]]),
      ]);
      expect(await items()).toHaveLength(3);
      expect((await server.files()).spooled).toEqual([]);
    });

    it("is looked for within the entity and among what is not in the trash", async () => {
      const { media } = (await send()).body;
      expect(await wish("reject", { to: "BLD-PSALMSFINE-0420/cover" })).toMatchObject({ status: 201 });
      expect(await wish("reject", { to: `${builder}/cover` })).toMatchObject({ status: 409 });
      await server.call("DELETE", `/v1/media/${media.id}`, { token: tokens.owner });
      expect(await wish("reject")).toMatchObject({ status: 201, body: { duplicates: [] } });
    });

    it("is judged by the nearest of several", async () => {
      const near = (await send({ bytes: encodedAnew })).body.media;
      const exact = (await send()).body.media;
      expect((await wish("reject")).body).toMatchObject({ publicId: exact.publicId, tier: "exact", distance: 0 });
      expect((await wish("reuse", { bytes: encodedAnew })).body.media.id).toBe(near.id);
    });

    it("that is none is stored whatever was wished", async () => {
      await send();
      expect((await wish("reject", { bytes: other })).status).toBe(201);
      expect((await wish("reuse", { bytes: await scenery(400, 300, 3).jpeg().toBuffer() })).status).toBe(201);
    });

    it("may be wished about in camelCase; what is no wish is refused", async () => {
      await send();
      expect((await send({ form: [["onDuplicate", "reject"]] })).status).toBe(409);
      for (const wrong of ["", "Reject", "replace"])
        expect(await wish(wrong)).toMatchObject({ status: 400, body: { issues: [{ path: "on_duplicate" }] } });
      expect(await items()).toHaveLength(1);
    });

    it("reused under a key is answered as the same item again", async () => {
      const { media } = (await send()).body;
      for (const replayed of [false, true]) {
        const answer = await wish("reuse", { key: "reuse" });
        expect([answer.status, answer.body.media.id, isReplay(answer)]).toEqual([200, media.id, replayed]);
      }
      expect(await items()).toHaveLength(1);
    });

    it("in a batch is for each file", async () => {
      await send();
      const answer = await server.post<Batch>("/v1/media/batch/upload", tokens.owner, [
        ["entity_type", "builder"],
        ["entity_id", builder],
        ["entity_field", "gallery"],
        ["on_duplicate", "reject"],
        ["files", [picture, "a"]],
        ["files", [other, "b"]],
        ["files", [other, "c"]],
      ]);
      expect(answer).toMatchObject({
        status: 207,
        body: {
          uploadedCount: 1,
          failed: [
            { index: 0, code: "DUPLICATE" },
            { index: 2, code: "DUPLICATE" },
          ],
        },
      });
    });
  });

  describe("media.duplicates", () => {
    const duplicatesOf = (ref: number | string, token?: string) =>
      server.call<{ items: { publicId: string; tier: string; distance: number }[] } & Failure>(
        "GET",
        `/v1/media/${ref}/duplicates`,
        { token },
      );
    /** Cut by so many pixels on every side: 8 of 400 x 300 change 8 bits of this scene's hash. */
    const cropped = (by: number) =>
      sharp(picture)
        .extract({ left: by, top: by, width: 400 - 2 * by, height: 300 - 2 * by })
        .jpeg()
        .toBuffer();

    it("shows all three tiers, nearest first, from either side", async () => {
      const { media } = (await send()).body;
      const similar = (await send({ bytes: await cropped(8) })).body.media;
      const same = (await send({ bytes: await scenery(400, 300).jpeg({ quality: 40 }).toBuffer() })).body.media;
      const exact = (await send()).body.media;
      await send({ bytes: other });
      const expected = [
        { publicId: exact.publicId, tier: "exact", distance: 0 },
        { publicId: same.publicId, tier: "same" },
        { publicId: similar.publicId, tier: "similar" },
      ];
      const { body } = await duplicatesOf(media.id);
      expect(body.items).toMatchObject(expected);
      const distances = body.items.map((item) => item.distance);
      expect(distances).toEqual([0, expect.any(Number), expect.any(Number)]);
      expect(distances[1]).toBeLessThanOrEqual(5);
      expect(distances[2]).toBeGreaterThan(5);
      expect(distances[2]).toBeLessThanOrEqual(10);
      expect((await duplicatesOf(similar.publicId)).body.items).toContainEqual({
        publicId: media.publicId,
        tier: "similar",
        distance: distances[2],
      });
    });

    it("the upload reports exact and same, not what is only similar", async () => {
      await send();
      const answer = await send({ bytes: await cropped(8), form: [["on_duplicate", "reject"]] });
      expect(answer).toMatchObject({ status: 201, body: { duplicates: [] } });
    });

    it("mirrored and turned pictures are none", async () => {
      const { media } = (await send()).body;
      await send({ bytes: await sharp(picture).flop().jpeg().toBuffer() });
      await send({ bytes: await sharp(picture).rotate(180).jpeg().toBuffer() });
      expect((await duplicatesOf(media.id)).body.items).toEqual([]);
    });

    it("names nobody what he may not see", async () => {
      const { media } = (await send()).body;
      const hidden = (await send({ form: [["is_public", "false"]] })).body.media;
      const trashed = (await send()).body.media;
      await server.call("DELETE", `/v1/media/${trashed.id}`, { token: tokens.owner });
      expect((await duplicatesOf(media.id)).body.items).toEqual([]);
      expect((await duplicatesOf(media.id, tokens.owner)).body.items).toMatchObject([{ publicId: hidden.publicId }]);
      for (const ref of [hidden.id, trashed.id, 999_999])
        expect(await duplicatesOf(ref)).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
    });
  });
});
