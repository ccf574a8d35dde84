import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failuresOf } from "../../scripts/api-reference/procedures.js";
import type { MediaErrorCode } from "../../src/media/errors.js";
import { SCOPES, type Scope } from "../../src/media/rights.js";
import { appRouter } from "../../src/procedures/index.js";
import type { CallAudience, ProcedureMeta } from "../../src/procedures/trpc.js";
import { PROCEDURES as DESCRIBED } from "../../src/router/rest-operations.js";
import { firstOf } from "../support/event-stream.js";
import { quarters } from "../support/pictures.js";
import { SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

type Described = { _def: { meta: ProcedureMeta; type: "query" | "mutation" | "subscription" } };
const PROCEDURES = appRouter._def.procedures as unknown as Record<string, Described>;

/** `owner` owns the builder above every property here, and uploaded its items. */
const PEOPLE = ["nobody", "stranger", "owner", "moderator", "admin", "service"] as const;
/** Named tokens of one scope each. */
const TOKENS = SCOPES.map((scope) => `token:${scope}` as const);
type Principal = (typeof PEOPLE)[number] | `token:${Scope}`;
type Refusals = Partial<Record<Principal, MediaErrorCode>>;
type Seen = "shown" | "hidden";

/** Who is stopped at what everyone sees; those who are not named are let in. */
const AT_SHOWN: Record<CallAudience, Refusals> = {
  public: {},
  "signed-in": { nobody: "UNAUTHENTICATED" },
  manager: {
    nobody: "UNAUTHENTICATED",
    stranger: "FORBIDDEN",
    moderator: "FORBIDDEN",
    "token:read": "FORBIDDEN",
    "token:moderate": "FORBIDDEN",
  },
  overseer: { nobody: "UNAUTHENTICATED", stranger: "FORBIDDEN", owner: "FORBIDDEN", "token:upload": "FORBIDDEN" },
  moderator: {
    nobody: "UNAUTHENTICATED",
    stranger: "FORBIDDEN",
    owner: "FORBIDDEN",
    "token:read": "FORBIDDEN",
    "token:upload": "FORBIDDEN",
  },
  service: {
    nobody: "UNAUTHENTICATED",
    stranger: "FORBIDDEN",
    owner: "FORBIDDEN",
    moderator: "FORBIDDEN",
    "token:read": "FORBIDDEN",
    "token:upload": "FORBIDDEN",
    "token:moderate": "FORBIDDEN",
  },
};

/** And at a private item: who may not see it is not told that it is there, unless nobody of his kind may ask at all. */
const AT_HIDDEN: Record<CallAudience, Refusals> = {
  ...AT_SHOWN,
  public: { nobody: "MEDIA_NOT_FOUND", stranger: "MEDIA_NOT_FOUND" },
  "signed-in": { nobody: "UNAUTHENTICATED", stranger: "MEDIA_NOT_FOUND" },
  manager: { ...AT_SHOWN.manager, stranger: "MEDIA_NOT_FOUND" },
};

/** Rights that a token gives away would outlive it, and flagging changes what it sees. */
const NOT_BY_MANAGING: Refusals = { "token:upload": "FORBIDDEN" };
const NOT_BY_SEEING: Refusals = { "token:read": "FORBIDDEN", "token:upload": "FORBIDDEN" };

type Item = { id: number; publicId: string; neighbour: string | undefined };
/** `on`: one item, tried shown and hidden. `input`: anything else. Both are allowed inputs: only rights can refuse. */
type Call = {
  input?: (fresh: { property: string; uploadId: string }) => object;
  on?: (item: Item) => object;
  /** Its gallery holds another item. */
  hasNeighbour?: boolean;
  /** What a service does to the item first. */
  first?: (item: Item) => [procedure: string, input: object];
  /** Where the procedure itself draws the line elsewhere than its audience. */
  except?: Refusals;
};

const EMAIL = "owner@example.org";
const PASSWORD = "correct horse battery";
const at = ({ property }: { property: string }) => ({ type: "property", publicId: property });
const grantee = (place: { property: string }) => ({ ...at(place), userId: "USR-GRANTEE" });
const idOf = ({ id }: Item) => ({ id });
const flagged = ({ id }: Item): [string, object] => ["moderation.flag", { id }];

const DIRECT = ({ property }: { property: string }) => ({
  entityType: "property",
  entityId: property,
  field: "gallery",
  filename: "a.png",
  fileSize: 1e3,
});
/** A ticket is the owner's who asked for it, and nobody else's. */
const NOT_THEIRS: Refusals = {
  stranger: "NOT_FOUND",
  moderator: "NOT_FOUND",
  admin: "NOT_FOUND",
  service: "NOT_FOUND",
  "token:read": "NOT_FOUND",
  "token:upload": "NOT_FOUND",
  "token:moderate": "NOT_FOUND",
  "token:admin": "NOT_FOUND",
};
const uploadOf = ({ uploadId }: { uploadId: string }) => ({ uploadId });

const CALLS: Record<string, Call> = {
  "media.list": { input: ({ property }) => ({ type: "property", id: property }) },
  "media.get": { on: idOf },
  "media.getByPublicId": { on: ({ publicId }) => ({ publicId }) },
  "media.update": { on: ({ id }) => ({ id, altText: "Changed" }) },
  "media.setPrimary": { on: idOf },
  "media.reorder": {
    input: ({ property }) => ({ type: "property", id: property, field: "gallery", mediaIds: [] }),
  },
  "media.move": { on: ({ id, neighbour }) => ({ id, before: neighbour }), hasNeighbour: true },
  "media.delete": { on: idOf },
  "media.restore": {
    on: idOf,
    first: ({ id }) => ["media.delete", { id }],
    // The trash is for those who manage.
    except: {
      stranger: "MEDIA_NOT_FOUND",
      moderator: "MEDIA_NOT_FOUND",
      "token:read": "MEDIA_NOT_FOUND",
      "token:moderate": "MEDIA_NOT_FOUND",
    },
  },
  "media.batchDelete": { on: ({ id }) => ({ mediaIds: [id] }) },
  "media.search": { input: () => ({ q: "a" }) },
  "media.duplicates": { on: idOf },
  "media.duplicatesOfEntity": { input: ({ property }) => ({ type: "property", id: property }) },
  "media.resolveDuplicates": { on: ({ id, neighbour }) => ({ id, mediaIds: [neighbour] }), hasNeighbour: true },
  "uploads.createDirect": { input: DIRECT },
  "uploads.complete": { input: uploadOf, except: { ...NOT_THEIRS, owner: "CONFLICT" } }, // nothing was put yet
  "uploads.status": { input: uploadOf, except: NOT_THEIRS },
  "uploads.onProgress": { input: uploadOf, except: NOT_THEIRS },
  "permissions.check": { input: ({ property }) => ({ action: "manage", type: "property", id: property }) },
  "permissions.grant": { input: (place) => ({ ...grantee(place), right: "upload" }), except: NOT_BY_MANAGING },
  "permissions.revoke": { input: grantee, except: NOT_BY_MANAGING },
  "permissions.list": { input: at, except: NOT_BY_MANAGING },
  "entities.upsert": { input: (place) => ({ ...at(place), name: "Renamed" }) },
  "entities.get": { input: at },
  "entities.list": { input: () => ({ type: "property" }) },
  "entities.setMembers": { input: (place) => ({ ...at(place), adminIds: [] }) },
  "entities.delete": { input: at },
  "auth.login": { input: () => ({ email: EMAIL, password: PASSWORD }) },
  "auth.logout": {},
  "auth.me": {},
  "auth.createSession": { input: () => ({ userId: "USR-STRANGER" }) },
  "users.upsert": { input: () => ({ publicId: "USR-NEW" }) },
  "users.get": {
    input: () => ({ publicId: "USR-OWNER" }),
    // Oneself, or anyone for administrators.
    except: {
      stranger: "ENTITY_NOT_FOUND",
      moderator: "ENTITY_NOT_FOUND",
      "token:read": "ENTITY_NOT_FOUND",
      "token:upload": "ENTITY_NOT_FOUND",
      "token:moderate": "ENTITY_NOT_FOUND",
    },
  },
  "moderation.queue": {},
  "moderation.approve": { on: idOf, first: flagged },
  "moderation.reject": { on: idOf, first: flagged },
  "moderation.flag": { on: idOf, except: NOT_BY_SEEING },
  "moderation.decide": { on: ({ id }) => ({ id, decision: "flag" }), except: NOT_BY_SEEING },
  "moderation.batchApprove": { on: ({ id }) => ({ mediaIds: [id] }), first: flagged },
  "moderation.history": { on: idOf },
  "analytics.storage": {},
  "analytics.uploadsOverTime": {},
  "health.storageSync": {},
  "health.staleVariants": {},
  "health.repair": {},
};

const CASES = Object.entries(PROCEDURES).flatMap(([name, { _def }]) => {
  const call = CALLS[name] ?? {};
  const sights: readonly Seen[] = call.on ? ["shown", "hidden"] : ["shown"];
  return sights.flatMap((seen) =>
    // Tokens see all that people may not: at what everyone sees they would say nothing new.
    [...PEOPLE, ...(seen === sights.at(-1) ? TOKENS : [])].map((principal: Principal) => {
      const refusals = { ...(seen === "shown" ? AT_SHOWN : AT_HIDDEN)[_def.meta.audience], ...call.except };
      return { name, principal, seen, call, outcome: refusals[principal] ?? "let in" };
    }),
  );
});

type TrpcAnswer = {
  result?: { data: { failed?: { code: string }[] } };
  error?: { data: { code: string } };
};

describe("every procedure, called by everyone with an input that is allowed", () => {
  let server: TestServer;
  let owner: string;
  let tokens: Partial<Record<Principal, string>>;
  let picture: Buffer;
  let made = 0;

  const USERS: Partial<Record<Principal, string>> = {
    stranger: "USR-STRANGER",
    owner: "USR-OWNER",
    moderator: "USR-MODERATOR",
    admin: "USR-ADMIN",
  };

  beforeAll(async () => {
    server = await startTestServer({ RATE_LIMIT: "off" });
    await server.user("USR-STRANGER");
    await server.user("USR-GRANTEE");
    owner = await server.user("USR-OWNER", { email: EMAIL, password: PASSWORD, verified: true });
    await server.user("USR-MODERATOR", { role: "moderator" });
    await server.user("USR-ADMIN", { role: "admin" });
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    tokens = { service: SERVICE_TOKEN };
    for (const scope of SCOPES) tokens[`token:${scope}`] = await server.namedToken(`one-that-may-${scope}`, [scope]);
    picture = await quarters(100, 100).png().toBuffer();
  });
  afterAll(() => server.stop());

  /** A session of its own for each call: one of them ends it. */
  async function tokenOf(principal: Principal): Promise<string | undefined> {
    const userId = USERS[principal];
    if (userId === undefined) return tokens[principal];
    return (await server.service<{ token: string }>("POST", "/v1/auth/sessions", { userId })).token;
  }

  /** A property of its own for each call, with a grant to take back. */
  async function makeProperty(): Promise<string> {
    const property = `PRP-${++made}`;
    await server.entity("property", property, { parentId: "BLD-1" });
    await server.service("PUT", `/v1/entities/property/${property}/grants/USR-GRANTEE`, { right: "upload" });
    return property;
  }

  async function upload(property: string, seen: Seen): Promise<{ id: number; publicId: string }> {
    const { body } = await server.post(`/v1/media/properties/${property}/photos`, owner, [
      ["is_public", String(seen === "shown")],
      ["file", [picture, "a.png"]],
    ]);
    return body.media;
  }

  async function makeItem(seen: Seen, hasNeighbour: boolean): Promise<Item> {
    const property = await makeProperty();
    const { id, publicId } = await upload(property, seen);
    return { id, publicId, neighbour: hasNeighbour ? (await upload(property, seen)).publicId : undefined };
  }

  async function openUpload(property: string): Promise<string> {
    const place = { token: owner, body: DIRECT({ property }) };
    return (await server.call<{ uploadId: string }>("POST", "/v1/media/direct", place)).body.uploadId;
  }

  async function send(name: string, token: string | undefined, input: object): Promise<TrpcAnswer> {
    const type = PROCEDURES[name]?._def.type;
    if (type === "subscription") return firstOf(server.baseUrl, name, { token, input });
    const answer =
      type === "query"
        ? await server.call<TrpcAnswer>("GET", `/trpc/${name}?input=${encodeURIComponent(JSON.stringify(input))}`, {
            token,
          })
        : await server.call<TrpcAnswer>("POST", `/trpc/${name}`, { token, body: input });
    return answer.body;
  }

  /** What calls that change nothing are made on: a gallery for each of them would cost more than the calls. */
  let kept: Promise<{ property: string; item: Item }> | undefined;
  const keep = async () => ({ property: await makeProperty(), item: await makeItem("hidden", true) });

  async function inputFor({ on, input, first, hasNeighbour = false }: Call, seen: Seen, isKept: boolean) {
    const isOfUpload = input === uploadOf;
    if (isKept && !first && !isOfUpload) {
      kept ??= keep();
      return on?.((await kept).item) ?? input?.({ ...(await kept), uploadId: "" }) ?? {};
    }
    if (!on) {
      const property = await makeProperty();
      return input?.({ property, uploadId: isOfUpload ? await openUpload(property) : "" }) ?? {};
    }
    const item = await makeItem(seen, hasNeighbour);
    if (first) expect(await send(first(item)[0], SERVICE_TOKEN, first(item)[1])).toHaveProperty("result");
    return on(item);
  }

  /** The code a call is refused with; a batch says it of its item. */
  const outcomeOf = ({ error, result }: TrpcAnswer): string =>
    error?.data.code ?? result?.data.failed?.[0]?.code ?? "let in";

  it("has an input for each, and for none that is gone", () => {
    expect(Object.keys(CALLS).sort()).toEqual(Object.keys(PROCEDURES).sort());
  });

  it("is refused with nothing that the reference does not tell of", () => {
    const told = new Map(DESCRIBED.map((described) => [described.procedure, ["let in", ...failuresOf(described)]]));
    expect(CASES.filter(({ name, outcome }) => !told.get(name)?.includes(outcome))).toEqual([]);
  });

  it.each(CASES)("$name ($seen) by $principal: $outcome", async ({ name, principal, seen, call, outcome }) => {
    const changes = outcome === "let in" && PROCEDURES[name]?._def.type === "mutation";
    const input = await inputFor(call, seen, principal.startsWith("token:") && !changes);
    const token = await tokenOf(principal);
    const answer = await send(name, token, input);
    expect(outcomeOf(answer), JSON.stringify(answer)).toBe(outcome);
  });
});
