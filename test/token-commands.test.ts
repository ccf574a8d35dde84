import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import { UsageError } from "../src/command-words.js";
import { type Config, loadConfig } from "../src/config.js";
import { createNamedToken, listNamedTokens, revokeNamedToken } from "../src/token-commands.js";
import { runCli } from "./support/command-line.js";
import type { EmptyDatabase } from "./support/database.js";
import { startTestServer, type TestServer } from "./support/server.js";
import { createSqliteDatabase } from "./support/sqlite.js";

const READER = ["--name", "reader", "--scope", "read"];
const NOWHERE = { DATABASE_URL: "file:/dev/null/media.db" };

describe("the commands for tokens", () => {
  let empty: EmptyDatabase;
  let config: Config;
  let stdout: MockInstance<typeof console.log>;
  let stderr: MockInstance<typeof console.error>;

  beforeAll(async () => {
    empty = await createSqliteDatabase();
    config = loadConfig({ DATABASE_URL: empty.url });
  });
  afterAll(() => empty.remove());
  beforeEach(() => {
    stdout = vi.spyOn(console, "log").mockImplementation(() => undefined);
    stderr = vi.spyOn(console, "error").mockImplementation(() => undefined);
  });
  afterEach(() => void vi.restoreAllMocks());

  const said = (stream: MockInstance<typeof console.log>) => stream.mock.calls.splice(0).flat().join("\n");
  const listed = async () => {
    said(stdout);
    await listNamedTokens(config, ["--json"]);
    return JSON.parse(said(stdout)) as Record<string, unknown>[];
  };

  it.each([
    ["no name", ["--scope", "read"], "--name must be 1 to 50 of"],
    ["a name that is none", ["--name", "Ada's", "--scope", "read"], "--name must be 1 to 50 of"],
    ["no scope", ["--name", "x"], "--scope must be given, once or more, as one of: read, upload, moderate, admin"],
    ["a scope there is not", [...READER, "--scope", "delete"], "--scope must be given, once or more"],
    ["two scopes in one word", ["--name", "x", "--scope", "read,upload"], "--scope must be given"],
    ["an expiry that is none", [...READER, "--expires", "soon"], "--expires must be a number of days or hours"],
    ["an hour of no zone", [...READER, "--expires", "2999-01-31T10:00:00"], "--expires must be a number of days"],
    ["a day there is not", [...READER, "--expires", "2999-02-30"], "--expires must be a number of days or hours"],
    ["an expiry that is over", [...READER, "--expires", "2020-01-31"], "not at 2020-01-31T23:59:59.999Z"],
    ["an expiry now", [...READER, "--expires", "0d"], "--expires must lie in the future"],
    ["a flag it does not know", [...READER, "--forever"], "Unknown option '--forever'"],
    ["a word too many", [...READER, "now"], "Unexpected argument 'now'"],
  ])("make none of %s", async (_, words, message) => {
    const refused = createNamedToken(loadConfig(NOWHERE), words);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(message);
    expect(said(stdout)).toBe("");
  });

  it.each([
    ["list a name", listNamedTokens, ["reader"], "Unexpected argument 'reader'"],
    ["revoke nothing", revokeNamedToken, [], "tokens revoke takes one name"],
    ["revoke two", revokeNamedToken, ["a", "b"], "tokens revoke takes one name"],
  ])("do not %s", async (_, command, words, message) => {
    await expect(command(loadConfig(NOWHERE), words)).rejects.toThrow(message);
  });

  it.each([
    ["2999-12-31", "2999-12-31T23:59:59.999Z"],
    ["2999-12-31T12:00:00+02:00", "2999-12-31T10:00:00.000Z"],
  ])("take --expires %s as %s", async (word, moment) => {
    expect(await createNamedToken(config, [...READER, "--expires", word])).toBe(true);
    expect(said(stderr)).toBe(`"reader" (read) lives until ${moment}. It is not shown again.`);
    expect(await listed()).toContainEqual(expect.objectContaining({ expiresAt: moment, state: "living" }));
    expect(await revokeNamedToken(config, ["reader"])).toBe(true);
  });

  it.each([
    ["90d", 90 * 86_400_000],
    ["12h", 12 * 3_600_000],
  ])("take --expires %s from now on", async (word, length) => {
    const [name, now] = [`in-${word}`, new Date("2026-05-04T03:02:01Z")];
    vi.useFakeTimers({ toFake: ["Date"], now });
    try {
      await createNamedToken(config, ["--name", name, "--scope", "read", "--expires", word]);
    } finally {
      vi.useRealTimers();
    }
    const expiresAt = new Date(now.getTime() + length).toISOString();
    expect(await listed()).toContainEqual(expect.objectContaining({ name, expiresAt, createdAt: now.toISOString() }));
  });

  it("give a name once while it lives, and keep what was revoked on record", async () => {
    expect(await createNamedToken(config, ["--name", "twice", "--scope", "read"])).toBe(true);
    expect(said(stdout)).toMatch(/^ams_[\w-]{43}$/);
    said(stderr);
    expect(await createNamedToken(config, ["--name", "twice", "--scope", "admin"])).toBe(false);
    expect([said(stdout), said(stderr)]).toEqual(["", expect.stringContaining("A living token has this name.")]);
    expect(await revokeNamedToken(config, ["twice"])).toBe(true);
    expect(await revokeNamedToken(config, ["twice"])).toBe(false);
    await createNamedToken(config, ["--name", "twice", "--scope", "upload", "--scope", "read", "--scope", "read"]);
    expect((await listed()).filter(({ name }) => name === "twice")).toMatchObject([
      { scopes: ["read"], state: "revoked", revokedAt: expect.any(String) },
      { scopes: ["read", "upload"], state: "living", expiresAt: null, lastUsedAt: null, revokedAt: null },
    ]);
  });
});

describe("tokens, on the command line", () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  const cli = (...words: string[]) => runCli(["tokens", ...words], server.settings);
  const me = (token: string) => server.call("GET", "/v1/auth/me", { token });

  it("are made and revoked beside a running server, which knows at once", async () => {
    const made = await cli("create", "--name", "importer", "--scope", "upload", "--scope", "read", "--expires", "1h");
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ams_[\w-]{43}\n$/) });
    const token = made.stdout.trim();
    expect((await me(token)).body).toEqual({ kind: "token", name: "importer", scopes: ["read", "upload"] });

    await server.namedToken("z", ["admin"]);
    const { code, stdout } = await cli("list");
    const [head = "", ...rows] = stdout.trimEnd().split("\n");
    expect([code, head.split(/ {2,}/)]).toEqual([0, ["NAME", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USE"]]);
    const cells = (row: string) =>
      ["NAME", "SCOPES", "STATE"].map((title) => row.slice(head.indexOf(title)).split(" ")[0]);
    expect(rows.map(cells)).toEqual([
      ["importer", "read,upload", "living"],
      ["z", "admin", "living"],
    ]);
    const lastUses = rows.map((row) => row.slice(head.indexOf("LAST USE")));
    expect(lastUses).toEqual([expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/), "never"]);

    await server.tables.execute("UPDATE service_tokens SET expires_at = created_at WHERE name = ?", ["importer"]);
    expect((await me(token)).status).toBe(401);
    expect(await cli("revoke", "importer")).toMatchObject({ code: 0, output: '"importer" is revoked.\n' });
    const again = await cli("revoke", "importer");
    expect(again).toMatchObject({ code: 1, output: 'There is no token "importer" to revoke.\n' });
  });

  it("answer 2 and the usage for words they do not know", async () => {
    const { code, output, stdout } = await runCli(["tokens", "create", ...READER, "--forever"], NOWHERE);
    expect([code, stdout]).toEqual([2, ""]);
    expect(output).toMatch(/^Unknown option '--forever'.*\n\nUsage: cli <command>/);
  });
});
