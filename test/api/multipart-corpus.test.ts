import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MediaError } from "../../src/media/errors.js";
import { readForm } from "../../src/router/multipart.js";
import { corpusPath, noCorpus } from "../support/corpus.js";
import { startTestServer, type TestServer, type UploadResult } from "../support/server.js";

type Part = { name: string; type: string; filename?: string | null; size: number; sha256: string };
type Case = {
  id: string;
  body: string;
  content_type: string | null;
  expect: "ACCEPT" | "REJECT" | "EITHER" | "PARSE" | "PARSE_ERROR" | "PARSE_OR_4XX";
  parts: Part[] | null;
  original_filename_ok: string[] | null;
  chunked?: boolean;
  raw_is_chunk_coded?: boolean;
};

const cases: Case[] = noCorpus ? [] : JSON.parse(readFileSync(corpusPath("multipart/cases.json"), "utf8"));
const bodyOf = ({ body }: Case): Buffer => readFileSync(corpusPath(`multipart/${body}`));

/**
 * True where data of a part holds the form's own delimiter with something else behind it. RFC 2046, 5.1.1 forbids that
 * to whoever writes a form; the parser ends the part there.
 */
function holdsDelimiter(given: Case): boolean {
  const boundary = /boundary="?([^";]+)/i.exec(given.content_type ?? "")?.[1] ?? "";
  const pieces = bodyOf(given).toString("latin1").split(`\n--${boundary}`).slice(1);
  return pieces.some((rest) => !/^(\r\n|--(\r\n|$))/.test(rest));
}
const isStrict = (given: Case): boolean => given.expect === "PARSE" && !holdsDelimiter(given);
const isLoose = (given: Case): boolean =>
  given.expect === "PARSE_OR_4XX" || (given.expect === "PARSE" && !isStrict(given));

describe.skipIf(noCorpus)("bodies of real clients and of other parsers' tests, over the wire", () => {
  let server: TestServer;
  let token: string;
  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
    await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  });
  afterAll(() => server.stop());

  /** Sends the bytes as they are; fetch would have an opinion of its own on headers. */
  async function send(given: Case): Promise<{ status: number; body: UploadResult & { code: string } }> {
    const body = bodyOf(given);
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (given.content_type !== null) headers["content-type"] = given.content_type;
    if (given.chunked) headers["transfer-encoding"] = "chunked";
    else headers["content-length"] = String(body.length);
    const sent = request(`${server.baseUrl}/v1/media/builders/BLD-1/portfolio`, { method: "POST", headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    const text = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode, body: JSON.parse(text) };
  }

  it.each(cases)("$id: $expect", async (given) => {
    const before = await server.files();
    const { status, body } = await send(given);
    const after = await server.files();
    expect(after.spooled).toEqual(before.spooled);
    expect(status).toBeLessThan(500);
    if (given.expect === "ACCEPT") expect(status, JSON.stringify(body)).toBe(201);
    if (given.expect === "REJECT" || given.expect === "PARSE_ERROR") expect(status).toBe(400);
    if (status !== 201) {
      expect(body.code).toMatch(/^[A-Z_]+$/);
      expect(after).toEqual(before);
      return;
    }
    expect(body.media).toMatchObject({ contentType: "image/jpeg", width: 120, height: 90 });
    if (given.original_filename_ok) expect(given.original_filename_ok).toContain(body.media.originalFilename);
    expect(body.media.filename).toMatch(/^gallery-\d{14}-[\w-]+\.jpg$/);
  });
});

describe.skipIf(noCorpus)("bodies of other parsers' tests, read as a form", () => {
  type Seen = { name: string; size: number; sha256: string; filename?: string | undefined };
  const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

  /** Parts as `cases.json` lists them, files and fields each in their order. */
  async function read(given: Case, chunkBytes: number): Promise<Seen[]> {
    const body = bodyOf(given);
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < body.length; at += chunkBytes) controller.enqueue(body.subarray(at, at + chunkBytes));
        controller.close();
      },
    });
    const headers = { "content-type": given.content_type ?? "" };
    const init = { method: "POST", headers, body: stream, duplex: "half" } as const;
    const files: Seen[] = [];
    const fields = await readForm(new Request("http://localhost/", init), {
      fileNames: ["file"],
      idleMs: 5000,
      onFile: async ({ name, filename, chunks }) => {
        const bytes = [];
        for await (const chunk of chunks) bytes.push(chunk);
        const whole = Buffer.concat(bytes);
        files.push({ name, filename, size: whole.length, sha256: digest(whole) });
      },
    });
    const texts = [...fields].map(([name, value]) => {
      const bytes = Buffer.from(value);
      return { name, size: bytes.length, sha256: digest(bytes) };
    });
    return [...files, ...texts];
  }

  const known = ({ name, size, sha256, filename }: Part) =>
    filename ? { name, size, sha256, filename } : { name, size, sha256 };

  describe.each([65_536, 7, 1])("in chunks of %d bytes", (chunkBytes) => {
    it.each(cases.filter((given) => isStrict(given) && bodyOf(given).length < 100_000))(
      "$id has exactly these parts",
      async (given) => {
        const seen = await read(given, chunkBytes);
        const parts = given.parts ?? [];
        const isFile = (part: Seen | Part): boolean => "filename" in part && typeof part.filename === "string";
        // Some cases list their files alone.
        const listsFields = parts.some(({ type }) => type === "field");
        expect(seen.filter(isFile)).toHaveLength(parts.filter(({ type }) => type === "file").length);
        if (listsFields) expect(seen).toHaveLength(parts.length);
        for (const part of parts) expect(seen).toContainEqual(expect.objectContaining(known(part)));
      },
    );

    it.each(cases.filter((given) => given.expect === "PARSE_ERROR"))("$id is refused", async (given) => {
      await expect(read(given, chunkBytes)).rejects.toMatchObject({ failure: { code: "MALFORMED_MULTIPART" } });
    });

    it.each(cases.filter((given) => isLoose(given) && bodyOf(given).length < 100_000))(
      "$id is read or refused, and comes to an end",
      async (given) => {
        const outcome = await read(given, chunkBytes).catch((error: unknown) => error);
        expect(Array.isArray(outcome) || outcome instanceof MediaError).toBe(true);
      },
    );
  });
});
