import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Sessions, User, UserDirectory } from "../../src/accounts/ports.js";
import { NOW } from "../support/media-rows.js";

const DAY_MS = 24 * 60 * 60_000;

/** What every Sessions does. Only the date is set by the tests; timers run as ever. */
export function sessionsContract(open: () => { sessions: Sessions; users: UserDirectory }): void {
  const sessions = () => open().sessions;
  let user: User;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    user = await open().users.upsert({ publicId: "USR-session", email: "s@example.org", role: "moderator" }, NOW);
    await sessions().revokeAll(user.publicId);
  });
  afterEach(() => void vi.useRealTimers());

  const inDays = (days: number) => vi.setSystemTime(NOW.getTime() + days * DAY_MS);

  it("answers a session's token with the user", async () => {
    const session = await sessions().create(user.publicId);
    expect(session).toEqual({
      token: expect.stringMatching(/^[a-z0-9]{32,}$/),
      userId: user.publicId,
      expiresAt: new Date(NOW.getTime() + 30 * DAY_MS),
    });
    expect(await sessions().validate(session.token)).toEqual({ session, user, extended: false });
  });

  it("gives every session a token of its own", async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => sessions().create(user.publicId)));
    expect(new Set(tokens.map((session) => session.token)).size).toBe(5);
  });

  it("knows no token it did not give", async () => {
    for (const token of ["", "nonsense", "a".repeat(5_000), "ü🏡"]) expect(await sessions().validate(token)).toBeNull();
  });

  it("refuses a session for nobody", async () => {
    await expect(sessions().create("USR-nobody")).rejects.toMatchObject({ failure: { code: "NOT_FOUND" } });
  });

  it("slides the expiry once half of the time is over", async () => {
    const { token, expiresAt } = await sessions().create(user.publicId);
    inDays(14);
    expect(await sessions().validate(token)).toMatchObject({ extended: false, session: { expiresAt } });
    inDays(16);
    const slid = { expiresAt: new Date(NOW.getTime() + 46 * DAY_MS) };
    expect(await sessions().validate(token)).toMatchObject({ extended: true, session: slid });
    expect(await sessions().validate(token)).toMatchObject({ extended: false, session: slid });
  });

  it("ends when it is not used", async () => {
    const { token } = await sessions().create(user.publicId);
    inDays(31);
    expect(await sessions().validate(token)).toBeNull();
    inDays(0);
    expect(await sessions().validate(token), "it was removed, not only refused").toBeNull();
  });

  it("ends one session, or all of a user", async () => {
    const [one, two, three] = await Promise.all([1, 2, 3].map(() => sessions().create(user.publicId)));
    await sessions().revoke(one?.token ?? "");
    expect(await sessions().validate(one?.token ?? "")).toBeNull();
    expect(await sessions().validate(two?.token ?? "")).not.toBeNull();
    await sessions().revokeAll(user.publicId);
    expect(await sessions().validate(two?.token ?? "")).toBeNull();
    expect(await sessions().validate(three?.token ?? "")).toBeNull();
  });

  it("takes the revocation of an unknown token calmly", async () => {
    await expect(sessions().revoke("nonsense")).resolves.toBeUndefined();
  });

  it("sweeps what expired and nothing else", async () => {
    const { token: old } = await sessions().create(user.publicId);
    inDays(20);
    const { token: young } = await sessions().create(user.publicId);
    inDays(31);
    await sessions().sweep();
    inDays(21);
    expect(await sessions().validate(old)).toBeNull();
    expect(await sessions().validate(young)).not.toBeNull();
  });
}
