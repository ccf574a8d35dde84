import { expect } from "vitest";
import type { Answer } from "../support/server.js";
import type { Api, Seed } from "./crash-stage.js";
import type { StoredItem } from "./truths.js";

const GALLERY = "/v1/media/builders/BLD-1/portfolio";
const key = { "idempotency-key": "the-same-request" };

type Items = readonly StoredItem[];

export type Operation = {
  /** Sends the request; the same again after the crash is the client's retry. */
  ask(api: Api, seed: Seed): Promise<Answer<unknown>>;
  /** What must hold after the crash. `answered`: the client was told that it is done. */
  expectTrue(items: Items, seed: Seed, answered: boolean): void;
  /** Statuses a retry may get. */
  retried: readonly number[];
};

/** The item as it is stored now. */
export const find = (items: Items, { id }: { id: number }) => items.find((item) => item.id === id);

/** One item of each name where the client was told so, and never two. */
function expectOnce(items: Items, names: readonly string[], answered: boolean): void {
  for (const name of names) {
    const made = items.filter((item) => item.originalFilename === name).length;
    expect(answered ? [1] : [0, 1], name).toContain(made);
  }
}

/** The item is there; in the trash or not as it was made to be, where the client was told so. */
function expectKept(items: Items, media: { id: number }, isTrashed: boolean, answered: boolean): void {
  const item = find(items, media);
  expect(answered ? [isTrashed] : [true, false]).toContain(item?.isTrashed);
}

/** Gone, or where the client was not told so perhaps still there as it was. */
function expectGone(items: Items, media: { id: number }, answered: boolean): void {
  expect(answered ? [undefined] : [undefined, false]).toContain(find(items, media)?.isTrashed);
}

/** What was in the slot is in the trash exactly when the other came. */
function expectTurns(items: Items, former: { id: number }, hasSuccessor: boolean): void {
  expect(find(items, former)?.isTrashed).toBe(hasSuccessor);
}

/** What a kill interrupts; over the seed, in a builder's gallery and its logo. */
export const OPERATIONS = {
  upload: {
    ask: (api, { owner, picture }) => api.post(GALLERY, owner, [["file", [picture, "new.jpg"]]], key),
    expectTrue(items, { first, second }, answered) {
      expectOnce(items, ["new.jpg"], answered);
      for (const old of [first, second]) expectKept(items, old, false, true);
    },
    retried: [200, 201],
  },
  "replacing what is in a slot": {
    ask: (api, { owner, picture }) =>
      api.post("/v1/media/builders/BLD-1/logo", owner, [["file", [picture, "new.jpg"]]], key),
    expectTrue(items, { avatar }, answered) {
      expectOnce(items, ["new.jpg"], answered);
      const hasSuccessor = items.some((item) => item.originalFilename === "new.jpg");
      expectTurns(items, avatar, hasSuccessor);
    },
    retried: [200, 201],
  },
  "permanent delete": {
    ask: (api, { admin, first }) => api.call("DELETE", `/v1/media/${first.id}?permanent=true`, { token: admin }),
    expectTrue: (items, { first }, answered) => expectGone(items, first, answered),
    retried: [200, 404],
  },
  "batch upload": {
    ask: (api, { owner, picture }) =>
      api.post(
        "/v1/media/batch/upload?entity_type=builder&entity_id=BLD-1&entity_field=gallery",
        owner,
        ["a.jpg", "b.jpg", "c.jpg"].map((name) => ["files", [picture, name]] as const),
        key,
      ),
    expectTrue: (items, _, answered) => expectOnce(items, ["a.jpg", "b.jpg", "c.jpg"], answered),
    retried: [200, 201],
  },
  "delete to the trash": {
    ask: (api, { owner, second }) => api.call("DELETE", `/v1/media/${second.id}`, { token: owner }),
    expectTrue: (items, { second }, answered) => expectKept(items, second, true, answered),
    retried: [200, 404],
  },
  "restore into a gallery": {
    ask: (api, { owner, trashed }) => api.call("POST", `/v1/media/${trashed.id}/restore`, { token: owner }),
    expectTrue: (items, { trashed }, answered) => expectKept(items, trashed, false, answered),
    retried: [200, 404],
  },
  "restore into a slot": {
    ask: (api, { owner, formerAvatar }) => api.call("POST", `/v1/media/${formerAvatar.id}/restore`, { token: owner }),
    expectTrue(items, { avatar, formerAvatar }, answered) {
      expectKept(items, formerAvatar, false, answered);
      expectTurns(items, avatar, find(items, formerAvatar)?.isTrashed === false);
    },
    retried: [200, 404],
  },
} as const satisfies Record<string, Operation>;
