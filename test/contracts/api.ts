import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CallAudience } from "../../src/procedures/trpc.js";
import { accountsContract } from "./api/accounts.js";
import { directoryContract } from "./api/directory.js";
import { managingContract } from "./api/managing.js";
import { moderatingContract } from "./api/moderating.js";
import { operationsContract } from "./api/operations.js";
import { readingContract } from "./api/reading.js";
import {
  type ApiStage,
  openApiStage,
  openSharedStage,
  PROCEDURE_NAMES,
  PROCEDURES,
  type SharedStage,
} from "./api/stage.js";
import type { ProcedureName, SharedServer, TransportRow } from "./api/transport.js";
import { uploadingContract } from "./api/uploading.js";

/** What keeps a stranger out before anything is looked at. */
const STOPS: Partial<Record<CallAudience, { right: string; reason: string }>> = {
  overseer: { right: "moderate", reason: "it is held by moderators and admins" },
  moderator: { right: "moderate", reason: "it is held by moderators and admins" },
  service: { right: "administer", reason: "it is held by admins and services" },
};

/** Fits no procedure, and fills every address. */
const NOWHERE = { type: "galaxy", id: "NONE", publicId: "NONE", userId: "NONE" };

/** Whoever is nobody, and whatever he says, is let through. */
const NEVER_REFUSED: readonly ProcedureName[] = ["auth.logout"];

/** What the API does for its users, over each of these transports to one server. */
export function apiOver(transports: readonly TransportRow[], start: () => Promise<SharedServer>): void {
  let shared: SharedStage;
  beforeAll(async () => {
    shared = await openSharedStage(await start());
  });
  afterAll(() => shared.server.stop());

  describe.each(transports)("by $name", (row) => {
    let stage: ApiStage;
    beforeAll(async () => {
      stage = await openApiStage(shared, row);
    });
    afterAll(() => stage.close());

    apiContract(row, () => stage);
  });
}

function apiContract({ lacks }: Pick<TransportRow, "lacks">, open: () => ApiStage): void {
  const carried = PROCEDURE_NAMES.filter((name) => !lacks.includes(name));
  const audienceOf = (name: ProcedureName) => PROCEDURES[name]._def.meta.audience;

  describe("who may not call is told so before his input is read", () => {
    it.each(carried.filter((name) => audienceOf(name) !== "public"))("%s", async (name) => {
      const { nobody, stranger } = open().people;
      expect(await open().refusal(nobody, name, NOWHERE)).toEqual({ code: "UNAUTHENTICATED" });
      const stop = STOPS[audienceOf(name)];
      if (stop)
        expect(await open().refusal(stranger, name, NOWHERE)).toEqual({ code: "FORBIDDEN", subject: null, ...stop });
    });
  });

  readingContract(open);
  managingContract(open, lacks);
  moderatingContract(open, lacks);
  directoryContract(open);
  accountsContract(open);
  operationsContract(open);
  uploadingContract(open, lacks);

  describe("every procedure", () => {
    it("was asked above, answered and refused, but for those without an address here", () => {
      const { answered, refused } = open().seen;
      expect([...answered].sort()).toEqual(carried);
      expect([...refused].sort()).toEqual(carried.filter((name) => !NEVER_REFUSED.includes(name)));
    });

    it("has an address here, or is named as lacking one", async () => {
      expect(PROCEDURE_NAMES).toEqual(expect.arrayContaining([...lacks]));
      for (const name of lacks)
        await expect(open().call(open().people.service, name, NOWHERE as never)).rejects.toThrow("has no address");
    });
  });
}
