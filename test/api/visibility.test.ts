import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { scenery } from "../support/pictures.js";
import { type Answer, SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

/**
 * The contract's "Visibility and moderation": who finds the row of an item in each state, and to whom its bytes are
 * given. `insiders`: the uploader, those who may manage the entity, moderators and admins. `signed`: to whoever holds
 * an address signed for these bytes.
 */
const STATES = {
  published: { row: "everyone", bytes: "everyone" },
  private: { row: "insiders", bytes: "signed" },
  pending: { row: "insiders", bytes: "signed" },
  flagged: { row: "insiders", bytes: "signed" },
  processing: { row: "insiders", bytes: "signed" },
  failed: { row: "insiders", bytes: "signed" },
  rejected: { row: "insiders", bytes: "nobody" },
  trashed: { row: "nobody", bytes: "nobody" },
} as const satisfies Record<string, { row: "everyone" | "insiders" | "nobody"; bytes: string }>;
type State = keyof typeof STATES;
const STATE_NAMES = Object.keys(STATES) as State[];

const IS_INSIDER = {
  anonymous: false,
  stranger: false,
  "uploader without any right on the entity": true,
  manager: true,
  moderator: true,
  admin: true,
  service: true,
} as const;
type Role = keyof typeof IS_INSIDER;
const ROLE_NAMES = Object.keys(IS_INSIDER) as Role[];

const seesRow = (role: Role, state: State): boolean =>
  STATES[state].row === "everyone" || (STATES[state].row === "insiders" && IS_INSIDER[role]);

type Scene = {
  server: TestServer;
  tokens: Record<Role, string | undefined>;
  items: Record<State, MediaOut>;
  /** Published, with the same bytes as all of them. */
  base: MediaOut;
  /** Answers by role and path: many ways ask the same of several states, which nothing changes meanwhile. */
  answered: Map<string, Promise<Answer>>;
};
/** An item asked for in one way: whether it was found, and all that was answered. */
type Sighting = { found: boolean; text: string };
type Look = (scene: Scene, at: { role: Role; state: State }) => Promise<Sighting>;

function answerTo(
  { server, tokens, answered }: Pick<Scene, "server" | "tokens" | "answered">,
  role: Role,
  path: string,
) {
  const known = answered.get(role + path) ?? server.call("GET", path, { token: tokens[role] });
  answered.set(role + path, known);
  return known;
}

const rest =
  (path: (item: MediaOut, state: State, base: MediaOut) => string): Look =>
  async ({ server, tokens, items, base, answered }, { role, state }) => {
    const item = items[state];
    const { status, body } = await answerTo({ server, tokens, answered }, role, path(item, state, base));
    expect([200, 404], JSON.stringify(body)).toContain(status);
    return sighting(item, status, body);
  };

const trpc =
  (procedure: string, input: (item: MediaOut, state: State) => unknown): Look =>
  async ({ server, tokens, items, answered }, { role, state }) => {
    const item = items[state];
    const path = `/trpc/${procedure}?input=${encodeURIComponent(JSON.stringify(input(item, state)))}`;
    const { status, body } = await answerTo({ server, tokens, answered }, role, path);
    expect([200, 404], JSON.stringify(body)).toContain(status);
    return sighting(item, status, (body as { result?: { data: unknown } }).result?.data ?? body);
  };

function sighting(item: MediaOut, status: number, body: unknown): Sighting {
  const text = JSON.stringify(body);
  const { items } = body as { items?: { publicId: string }[] };
  const found = items ? items.some((each) => each.publicId === item.publicId) : status === 200;
  return { found, text };
}

/** An item's own duplicates do not name it: that there is an answer says that it was found. */
const byStatus =
  (look: Look): Look =>
  async (scene, at) => {
    const { text } = await look(scene, at);
    return { text, found: !text.includes("MEDIA_NOT_FOUND") };
  };

/** The caption of each item is its state: what text search finds it by. */
const captionOf = (state: State): string => `captioned as ${state}`;

const WAYS: Record<string, Look> = {
  "media.list": rest(() => "/v1/media/entity/post/PST-1?limit=100"),
  "media.list by field": rest(() => "/v1/media/entity/post/PST-1?limit=100&field=gallery"),
  "media.list by status": rest((item) => `/v1/media/entity/post/PST-1?limit=100&status=${item.moderationStatus}`),
  "media.list by tag": rest((_, state) => `/v1/media/entity/post/PST-1?limit=100&tag=${state}`),
  "media.list over tRPC": trpc("media.list", () => ({ type: "post", id: "PST-1", limit: 100 })),
  "media.get by id": rest(({ id }) => `/v1/media/${id}`),
  "media.get by publicId": rest(({ publicId }) => `/v1/media/${publicId}`),
  "media.getByPublicId": rest(({ publicId }) => `/v1/media/public/${publicId}`),
  "media.get over tRPC": trpc("media.get", ({ id }) => ({ id })),
  "media.getByPublicId over tRPC": trpc("media.getByPublicId", ({ publicId }) => ({ publicId })),
  "media.search by text": rest((_, state) => `/v1/media/search?q=${encodeURIComponent(captionOf(state))}`),
  "media.search by tag": rest((_, state) => `/v1/media/search?tag=${state}`),
  "media.search by status": rest((item) => `/v1/media/search?status=${item.moderationStatus}&limit=100`),
  "media.search by uploader": rest(() => "/v1/media/search?uploader=USR-UPLOADER&limit=100"),
  "media.search over tRPC": trpc("media.search", () => ({ limit: 100 })),
  "media.duplicates of another": rest((_item, _state, base) => `/v1/media/${base.publicId}/duplicates`),
  "media.duplicates of it": byStatus(rest(({ id }) => `/v1/media/${id}/duplicates`)),
  "media.duplicates of it over tRPC": byStatus(trpc("media.duplicates", ({ id }) => ({ id }))),
};

/** What a refusal repeats is what was asked for; it tells nobody anything. */
const withoutEcho = (text: string, way: string, { publicId }: MediaOut): string =>
  /publicId/i.test(way) ? text.replaceAll(publicId, "") : text;

const bareUrls = (item: MediaOut): string[] =>
  [item.originalUrl, ...item.variants.map(({ url }) => url)].map((url) => url.split("?")[0] as string);

describe("visibility", () => {
  let scene: Scene;
  /** What the uploader was given when each item was new: signed where it was not published then. */
  let minted: Record<State, MediaOut>;

  beforeAll(async () => {
    const server = await startTestServer();
    const tokens = await makeRoles(server);
    const picture = await scenery(1700, 1200).jpeg().toBuffer();
    const upload = async (caption: string, isPublic: boolean) => {
      const answer = await server.post(
        "/v1/media/posts/PST-1/media",
        tokens["uploader without any right on the entity"],
        [
          ["file", [picture, `${caption}.jpg`]],
          ["caption", caption],
          ["tags", caption.split(" ").at(-1) as string],
          ["is_public", String(isPublic)],
        ],
      );
      expect(answer.status).toBe(201);
      return answer.body.media;
    };
    const base = await upload("the base", true);
    await decide(server, base, "approve");
    const uploaded: [State, MediaOut][] = [];
    for (const state of STATE_NAMES) uploaded.push([state, await upload(captionOf(state), state !== "private")]);
    minted = Object.fromEntries(uploaded) as Record<State, MediaOut>;
    await bringAbout(server, minted);
    await server.entity("post", "PST-1", { ownerId: "USR-MANAGER" });
    const items = Object.fromEntries(
      await Promise.all(uploaded.map(async ([state, item]) => [state, await current(server, item)])),
    ) as Record<State, MediaOut>;
    scene = { server, tokens, items, base, answered: new Map() };
  });
  afterAll(() => scene?.server.stop());

  it("is tried on items in the states they are named by", async () => {
    const { items } = scene;
    expect(STATE_NAMES.map((state) => [items[state].moderationStatus, items[state].processingStatus])).toEqual([
      ["approved", "ready"],
      ["approved", "ready"],
      ["pending", "ready"],
      ["flagged", "ready"],
      ["approved", "processing"],
      ["approved", "failed"],
      ["rejected", "ready"],
      ["approved", "ready"],
    ]);
    expect(items.private.isPublic).toBe(false);
    for (const state of STATE_NAMES) expect(bareUrls(items[state]).length).toBe(5);
  });

  const ROW_CASES = STATE_NAMES.flatMap((state) =>
    ROLE_NAMES.flatMap((role) =>
      Object.keys(WAYS).map((way) => ({ state, role, way, verb: seesRow(role, state) ? "finds" : "does not find" })),
    ),
  );

  it.each(ROW_CASES)("$role $verb what is $state by $way", async ({ state, role, way }) => {
    const { found, text } = await (WAYS[way] as Look)(scene, { role, state });
    expect(found).toBe(seesRow(role, state));
    const said = found ? text : withoutEcho(text, way, scene.items[state]);
    for (const hidden of STATE_NAMES.filter((each) => !seesRow(role, each))) {
      const item = scene.items[hidden];
      for (const secret of [item.publicId, captionOf(hidden), ...bareUrls(item).map((url) => url.split("/").at(-1))])
        expect(said).not.toContain(secret);
    }
  });

  const ASKED = {
    GET: { init: { method: "GET" }, served: 200 },
    HEAD: { init: { method: "HEAD" }, served: 200 },
    Range: { init: { method: "GET", headers: { range: "bytes=0-9" } }, served: 206 },
    "If-None-Match *": { init: { method: "GET", headers: { "if-none-match": "*" } }, served: 304 },
  } as const;
  type Asked = keyof typeof ASKED;

  async function statusOf(url: string, asked: Asked, token?: string): Promise<number | "served"> {
    const { init, served } = ASKED[asked];
    const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const headers = { ...("headers" in init ? init.headers : {}), ...authorization };
    const response = await fetch(url, { method: init.method, headers });
    const bytes = (await response.arrayBuffer()).byteLength;
    if (init.method === "HEAD") expect(bytes).toBe(0);
    return response.status === served ? "served" : response.status;
  }

  const FILE_CASES = STATE_NAMES.flatMap((state) =>
    ROLE_NAMES.flatMap((role) => (Object.keys(ASKED) as Asked[]).map((asked) => ({ state, role, asked }))),
  );

  it.each(FILE_CASES)("$asked by $role of the bare addresses of what is $state", async ({ state, role, asked }) => {
    for (const url of bareUrls(scene.items[state]))
      expect(await statusOf(url, asked, scene.tokens[role])).toBe(STATES[state].bytes === "everyone" ? "served" : 404);
  });

  it.each(FILE_CASES.filter(({ role, state }) => seesRow(role, state)))(
    "$asked by $role of the addresses handed out with what is $state",
    async ({ state, role, asked }) => {
      const path = `/v1/media/${minted[state].id}`;
      const { body } = await scene.server.call<MediaOut>("GET", path, { token: scene.tokens[role] });
      for (const url of [body.originalUrl, ...body.variants.map((variant) => variant.url)])
        expect(await statusOf(url, asked)).toBe(STATES[state].bytes === "nobody" ? 404 : "served");
    },
  );

  it.each(STATE_NAMES)("an address signed while the item was new, used when it is %s", async (state) => {
    const urls = [minted[state].originalUrl, ...minted[state].variants.map(({ url }) => url)];
    expect(urls.every((url) => url.includes("signature="))).toBe(true);
    for (const url of urls)
      for (const asked of Object.keys(ASKED) as Asked[])
        expect(await statusOf(url, asked)).toBe(STATES[state].bytes === "nobody" ? 404 : "served");
  });

  it.each(["reject", "trash", "hide"] as const)(
    "stops at once when it is published and somebody decides to %s",
    async (act) => {
      const { server, tokens } = scene;
      const picture = await scenery(300, 200, 7).jpeg().toBuffer();
      const answer = await server.post("/v1/media/posts/PST-1/media", tokens.manager, [["file", [picture, "a.jpg"]]]);
      const item = answer.body.media;
      await decide(server, item, "approve");
      const [bare] = bareUrls(item) as [string];
      expect(await statusOf(bare, "GET")).toBe("served");
      const END = {
        reject: async () => {
          await decide(server, item, "flag");
          await decide(server, item, "reject");
        },
        trash: () => server.service("DELETE", `/v1/media/${item.id}`),
        hide: () => server.service("PATCH", `/v1/media/${item.id}`, { isPublic: false }),
      };
      await END[act]();
      for (const asked of Object.keys(ASKED) as Asked[]) {
        expect(await statusOf(bare, asked)).toBe(404);
        expect(await statusOf(item.originalUrl, asked)).toBe(act === "hide" ? "served" : 404);
      }
    },
  );

  it("totals and cursors count only what is seen", async () => {
    const { server, tokens } = scene;
    for (const role of ROLE_NAMES) {
      const seen: MediaOut[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const path: string = `/v1/media/entity/post/PST-1?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
        const { body } = await server.call<Page>("GET", path, { token: tokens[role] });
        seen.push(...body.items);
        cursor = body.nextCursor;
        if (cursor === null) expect(seen.length).toBe(body.total);
      }
      for (const state of STATE_NAMES)
        expect(seen.some((each) => each.publicId === minted[state].publicId)).toBe(seesRow(role, state));
    }
  });

  it("whoever does not see an item cannot act on it, and learns nothing by trying", async () => {
    const { server, tokens, items, base } = scene;
    const { id, publicId } = items.private;
    for (const [method, path, body] of [
      ["PATCH", `/v1/media/${id}`, { altText: "mine" }],
      ["DELETE", `/v1/media/${id}`],
      ["POST", `/v1/media/${id}/move`, { before: base.id }],
      ["POST", `/v1/media/${id}/restore`],
      ["POST", `/v1/media/${id}/moderation`, { decision: "flag" }],
    ] as const) {
      const answer = await server.call(method, path, { token: tokens.stranger, body });
      expect(answer).toMatchObject({ status: 404, body: { code: "MEDIA_NOT_FOUND" } });
      expect(JSON.stringify(answer.body)).not.toContain(publicId);
      const absent = await server.call(method, path.replace(String(id), "999999"), { token: tokens.stranger, body });
      const { requestId: _, ...there } = answer.body;
      const { requestId: __, ...nowhere } = absent.body;
      expect(JSON.stringify(there).replaceAll(String(id), "#")).toBe(JSON.stringify(nowhere).replaceAll("999999", "#"));
    }
    const batch = await server.call<{ failed: unknown[] }>("POST", "/v1/media/batch/delete", {
      token: tokens.stranger,
      body: [id],
    });
    expect(batch.body.failed).toMatchObject([{ id, code: "MEDIA_NOT_FOUND" }]);
  });
});

type Page = { items: MediaOut[]; total: number; nextCursor: string | null };

async function makeRoles(server: TestServer): Promise<Record<Role, string | undefined>> {
  const tokens = {
    anonymous: undefined,
    stranger: await server.user("USR-STRANGER"),
    "uploader without any right on the entity": await server.user("USR-UPLOADER"),
    manager: await server.user("USR-MANAGER"),
    moderator: await server.user("USR-MODERATOR", { role: "moderator" }),
    admin: await server.user("USR-ADMIN", { role: "admin" }),
    service: SERVICE_TOKEN,
  };
  await server.entity("post", "PST-1", { ownerId: "USR-UPLOADER" });
  return tokens;
}

const decide = (server: TestServer, item: MediaOut, decision: "approve" | "reject" | "flag") =>
  server.service("POST", `/v1/media/${item.id}/moderation`, { decision });

/** From pending, as posts of users start, to the state each is named by; the pipeline's states by SQL. */
async function bringAbout(server: TestServer, items: Record<State, MediaOut>): Promise<void> {
  for (const state of STATE_NAMES)
    if (state !== "pending") await decide(server, items[state], state === "rejected" ? "reject" : "approve");
  await decide(server, items.flagged, "flag");
  await server.service("DELETE", `/v1/media/${items.trashed.id}`);
  for (const state of ["processing", "failed"] as const)
    await server.tables.execute("UPDATE media SET processing_status = ? WHERE id = ?", [state, items[state].id]);
}

/** As it is now; what is in the trash cannot be asked for any more. */
async function current(server: TestServer, item: MediaOut): Promise<MediaOut> {
  const { status, body } = await server.call<MediaOut>("GET", `/v1/media/${item.id}`, { token: SERVICE_TOKEN });
  return status === 200 ? body : { ...item, moderationStatus: "approved" };
}
