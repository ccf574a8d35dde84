import { beforeAll, describe, expect, it } from "vitest";
import type { ApiStage } from "./stage.js";
import type { Person } from "./transport.js";

/** Who the users are, and how they are told apart. */
export function accountsContract(open: () => ApiStage): void {
  let api: ApiStage;
  let service: Person;
  beforeAll(() => {
    api = open();
    service = api.people.service;
  });

  const asUser = (id: string, token: string): Person => ({
    actor: { kind: "user", id, role: "user", verified: false },
    token,
  });

  describe("users", () => {
    it("are made and changed: absent leaves, null clears", async () => {
      const publicId = api.newId("USR");
      const email = `${publicId}@Example.org`;
      const made = await api.call(service, "users.upsert", { publicId, email, verified: true });
      const facts = { publicId, email: email.toLowerCase(), role: "user", verified: true };
      expect(made).toEqual({ ...facts, id: made.id, createdAt: made.createdAt });
      expect(await api.call(service, "users.get", { publicId })).toEqual(made);
      const changed = { ...made, email: null, role: "moderator" };
      expect(await api.call(service, "users.upsert", { publicId, email: null, role: "moderator" })).toEqual(changed);
      expect(await api.call(service, "entities.get", { type: "user", publicId })).toMatchObject({ ownerId: publicId });
    });

    it("see themselves and no other", async () => {
      const { owner } = api.people;
      expect(await api.call(owner, "users.get", { publicId: "USR-OWNER" })).toMatchObject({ publicId: "USR-OWNER" });
      for (const entityId of ["USR-ADMIN", "USR-NONE"])
        expect(await api.refusal(owner, "users.get", { publicId: entityId })).toEqual({
          code: "ENTITY_NOT_FOUND",
          entityType: "user",
          entityId,
        });
    });

    it("are refused with what is wrong or taken", async () => {
      const [publicId, other] = [api.newId("USR"), api.newId("USR")];
      const email = `${publicId.toLowerCase()}@example.org`;
      await api.call(service, "users.upsert", { publicId, email });
      expect(await api.refusal(service, "users.upsert", { publicId: other, email })).toEqual({
        code: "CONFLICT",
        reason: "The e-mail address belongs to another user.",
      });
      expect(await api.refusal(service, "users.upsert", { publicId: other, email: "no", password: "short" })).toEqual({
        code: "VALIDATION",
        issues: [
          { path: "email", message: "Invalid email address" },
          { path: "password", message: "Too small: expected string to have >=8 characters" },
        ],
      });
    });
  });

  describe("who calls", () => {
    it("is told who he is", async () => {
      expect(await api.call(service, "auth.me")).toEqual({ kind: "service" });
      expect(await api.call(api.people.moderator, "auth.me")).toMatchObject({
        kind: "user",
        publicId: "USR-MODERATOR",
        role: "moderator",
      });
      expect(await api.refusal(api.people.nobody, "auth.me")).toEqual({ code: "UNAUTHENTICATED" });
    });

    it("signs in with e-mail and password, both right", async () => {
      const publicId = api.newId("USR");
      const email = `${publicId.toLowerCase()}@example.org`;
      const password = "correct horse battery";
      const user = await api.call(service, "users.upsert", { publicId, email, password });
      const { nobody } = api.people;
      const session = await api.call(nobody, "auth.login", { email: email.toUpperCase(), password });
      expect(session).toEqual({ token: expect.any(String), expiresAt: expect.any(String), user });
      expect(await api.call(asUser(publicId, session.token), "auth.me")).toEqual({ kind: "user", ...user });
      expect(await api.refusal(nobody, "auth.login", { email, password: "wrong" })).toEqual({
        code: "UNAUTHENTICATED",
      });
      expect(await api.refusal(nobody, "auth.login", { email })).toMatchObject({
        code: "VALIDATION",
        issues: [{ path: "password" }],
      });
    });

    it("gets a session from the platform, which logout ends wherever a session is what he calls by", async () => {
      const session = await api.call(service, "auth.createSession", { userId: "USR-STRANGER" });
      expect(Date.parse(session.expiresAt)).toBeGreaterThan(Date.now());
      const stranger = asUser("USR-STRANGER", session.token);
      const overHttp = async () => (await api.server.call("GET", "/v1/auth/me", { token: session.token })).status;
      expect(await overHttp()).toBe(200);
      expect(await api.call(stranger, "auth.logout")).toEqual({ message: "The session has ended." });
      expect(await overHttp()).toBe(api.hasSessions ? 401 : 200);
      if (api.hasSessions) expect(await api.refusal(stranger, "auth.me")).toEqual({ code: "UNAUTHENTICATED" });
      else expect(await api.call(stranger, "auth.me")).toMatchObject({ publicId: "USR-STRANGER" });
      expect(await api.refusal(service, "auth.createSession", { userId: "USR-NONE" })).toEqual({
        code: "ENTITY_NOT_FOUND",
        entityType: "user",
        entityId: "USR-NONE",
      });
    });
  });
}
