import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MediaOut } from "../../src/media/model.js";
import { createUrlSigner } from "../../src/security/url-signer.js";
import { quarters } from "../support/pictures.js";
import { getRaw, type RawAnswer, sendRaw } from "../support/raw-http.js";
import { type Answer, SERVICE_TOKEN, startTestServer, type TestServer } from "../support/server.js";

const SIGNING_SECRET = "signing-secret-of-the-test-0123456789";

const keyOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice("/files/".length));

describe("attacks", () => {
  let server: TestServer;
  let owner: string;
  let stranger: string;
  let picture: Buffer;
  let shown: MediaOut;
  /** Private: no answer to anyone but its owner may name it. */
  let hidden: MediaOut;
  let theirs: MediaOut;
  let foldersBefore: string[];

  const upload = async (path: string, token: string, form: readonly (readonly [string, string])[] = []) => {
    const answer = await server.post(`/v1/media${path}`, token, [["file", [picture, "a.jpg"]], ...form]);
    expect(answer.status).toBe(201);
    return answer.body.media;
  };

  beforeAll(async () => {
    server = await startTestServer({ SIGNING_SECRET });
    owner = await server.user("USR-OWNER", { email: "owner@example.com", password: "correct horse battery" });
    stranger = await server.user("USR-STRANGER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    await server.entity("builder", "BLD-2", { ownerId: "USR-STRANGER" });
    picture = await quarters(300, 200).jpeg().toBuffer();
    shown = await upload("/builders/BLD-1/portfolio", owner, [["caption", "shown"]]);
    hidden = await upload("/builders/BLD-1/portfolio", owner, [["is_public", "false"]]);
    theirs = await upload("/builders/BLD-2/portfolio", stranger);
    foldersBefore = await readdir(server.folder);
  });
  afterAll(() => server?.stop());

  /** What no answer to an attacker may hold: the hidden item, secrets, paths, code, SQL. */
  function expectNothingLeaked(text: string): void {
    for (const secret of [
      hidden.publicId,
      hidden.filename,
      server.folder,
      SERVICE_TOKEN,
      SIGNING_SECRET,
      owner,
      "node_modules",
    ])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/SQLITE|SQL|\bselect .* from\b|\bat .*\.(ts|js):\d+|root:x:0|SECRET/i);
  }

  function expectRefused(answer: RawAnswer | Answer, statuses: readonly (number | null)[]): void {
    const text = "text" in answer ? answer.text : JSON.stringify(answer.body);
    expectNothingLeaked(text);
    expect(statuses, text).toContain(answer.status);
  }

  describe("on paths", () => {
    const TARGETS: readonly string[] = [
      "/files/../media.db",
      "/files/../../../../../../etc/passwd",
      "/files/..%2fmedia.db",
      "/files/%2e%2e/media.db",
      "/files/%2e%2e%2fmedia.db",
      "/files/%252e%252e%252fmedia.db",
      "/files/..\\media.db",
      "/files/..%5cmedia.db",
      "/files/..%255cmedia.db",
      "/files/%c0%ae%c0%ae/media.db",
      "/files/%c0%ae%c0%ae%c0%afmedia.db",
      "/files/%e0%80%ae%e0%80%ae/media.db",
      "/files/..%ef%bc%8fmedia.db",
      "/files/%u002e%u002e/media.db",
      "/files/..;/media.db",
      "/files/....//media.db",
      "/files//etc/passwd",
      "/files/%2fetc%2fpasswd",
      "/files/file:%2f%2f%2fetc%2fpasswd",
      "/files/%00",
      "/files/HIDDEN",
      "/files/./HIDDEN",
      "/files/x/../HIDDEN",
      "//files/HIDDEN",
      "/files//HIDDEN",
      "/files/HIDDEN/",
      "/files/HIDDEN%00",
      "/files/HIDDEN%00.html",
      "/files/HIDDEN%20",
      "/files/HIDDEN.",
      "/files/HIDDEN;.jpg",
      "/files/HIDDEN%3fexpires=9999999999",
      "/FILES/HIDDEN",
      "/files/%48IDDEN",
      "/files/secrets/service-token",
      "/files/../secrets/service-token",
      "/files/.tmp/",
      "/console/../../package.json",
      "/console/..%2f..%2fpackage.json",
      "/console/%2e%2e%5cpackage.json",
      "http://localhost/files/../media.db",
      "http://evil.example/files/HIDDEN",
      "http://user:pass@localhost/files/HIDDEN",
      "https://localhost:1/files/HIDDEN",
      "file:///etc/passwd",
      "javascript:alert(1)",
      "*",
      "files/HIDDEN",
      "?",
      "/files/\x01",
      "/files/\x7f",
      "/files/\x80\xff",
      "/files/HIDDEN\x00",
    ];

    it.each(TARGETS)("GET %j", async (target) => {
      const key = keyOf(hidden.originalUrl);
      for (const headers of [[], [`Authorization: Bearer ${stranger}`], ["Range: bytes=0-0"], ["If-None-Match: *"]])
        expectRefused(await getRaw(server.baseUrl, target.replace("HIDDEN", key), headers), [400, 404]);
    });

    const IDS: readonly string[] = [
      "..%2f..%2fetc%2fpasswd",
      "..%5c..%5cmedia.db",
      "%2e%2e%2f",
      "%00",
      "1%00",
      "1%0d%0aX-Evil:%201",
      "%27%20OR%201=1%20--",
      "1;DROP%20TABLE%20media",
      "1%20UNION%20SELECT%201",
      "__proto__",
      "%7B%22$gt%22:%22%22%7D",
      "%5B%5D",
      "%F0%9F%98%80",
      "%E0%A4%A",
      "%c0%ae%c0%ae",
      "1e1",
      "0x1",
      "-1",
      "1.0",
      "%2B1",
      "9007199254740993",
      "9".repeat(400),
      "a".repeat(65),
      "%25",
      "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    ];
    const ROUTES = [
      ["GET", "/v1/media/ID"],
      ["GET", "/v1/media/public/ID"],
      ["GET", "/v1/media/ID/duplicates"],
      ["PATCH", "/v1/media/ID"],
      ["DELETE", "/v1/media/ID"],
      ["POST", "/v1/media/ID/restore"],
      ["POST", "/v1/media/ID/moderation", { decision: "flag" }],
      ["POST", "/v1/media/ID/move", { before: 1 }],
      ["GET", "/v1/media/entity/builder/ID"],
      ["GET", "/v1/media/entity/ID/1"],
      ["POST", "/v1/media/entity/builder/ID/reorder", { field: "gallery", mediaIds: [1] }],
      ["GET", "/v1/entities/builder/ID"],
      ["GET", "/v1/permissions/check?action=manage&type=builder&id=ID"],
      ["POST", "/v1/media/builders/ID/portfolio"],
      ["POST", "/v1/media/communities/ID/amenities/1/photos"],
      ["POST", "/v1/media/upload?entity_type=builder&entity_field=gallery&entity_id=ID"],
      ["POST", "/v1/media/upload?entity_type=ID&entity_field=gallery&entity_id=1"],
      ["POST", "/v1/media/upload?entity_type=builder&entity_field=ID&entity_id=1"],
    ] as const;

    it.each(IDS)("the id %s on every route", async (id) => {
      for (const [method, path, body] of ROUTES)
        expectRefused(await server.call(method, path.replace("ID", id), { token: owner, body }), [400, 404]);
      expectRefused(await server.call("PUT", `/v1/users/${id}`, { token: stranger, body: {} }), [400, 403]);
    });

    it.each(IDS.filter((id) => !["1e1", "0x1", "1.0"].includes(id)))(
      "a platform cannot name a thing %s",
      async (id) => {
        const call = (path: string) => server.call("PUT", path, { token: SERVICE_TOKEN, body: {} });
        expectRefused(await call(`/v1/entities/builder/${id}`), [400]);
        expectRefused(await call(`/v1/users/${id}`), [400]);
      },
    );
  });

  describe("on signatures", () => {
    type Forge = (url: URL) => string | Promise<string>;
    const bare = ({ origin, pathname }: URL): string => `${origin}${pathname}`;
    const edited =
      (edit: (parameters: URLSearchParams, given: { expires: string; signature: string }) => void): Forge =>
      (url) => {
        const parameters = new URLSearchParams(url.search);
        edit(parameters, { expires: parameters.get("expires") ?? "", signature: parameters.get("signature") ?? "" });
        return `${bare(url)}?${parameters}`;
      };
    const expiring = (expires: (given: string) => string): Forge =>
      edited((parameters, given) => parameters.set("expires", expires(given.expires)));
    const signed = (signature: (given: string) => string): Forge =>
      edited((parameters, given) => parameters.set("signature", signature(given.signature)));

    const FORGERIES: Record<string, Forge> = {
      none: bare,
      "no signature": edited((parameters) => parameters.delete("signature")),
      "no expiry": edited((parameters) => parameters.delete("expires")),
      "empty signature": signed(() => ""),
      "another signature": signed(() => "A".repeat(43)),
      "a shortened signature": signed((given) => given.slice(0, -1)),
      "a lengthened signature": signed((given) => `${given}A`),
      "a padded signature": signed((given) => `${given}=`),
      "a signature in lower case": signed((given) => given.toLowerCase()),
      "a later expiry": expiring((given) => String(Number(given) + 1)),
      "an expiry for ever": expiring(() => "99999999999"),
      "a negative expiry": expiring(() => "-1"),
      "an expiry with a zero before": expiring((given) => `0${given}`),
      "an expiry with a fraction": expiring((given) => `${given}.0`),
      "an expiry with a space": expiring((given) => ` ${given}`),
      "an expiry in hexadecimal": expiring((given) => `0x${Number(given).toString(16)}`),
      "the signature twice": edited((parameters, { signature }) => parameters.append("signature", signature)),
      "a good signature, then a bad one": edited((parameters) => parameters.append("signature", "A".repeat(43))),
      "the expiry twice": edited((parameters, { expires }) => parameters.append("expires", expires)),
      "array parameters": ({ href }) => href.replaceAll("=", "[]="),
      "a name in capitals": ({ href }) => href.replace("signature=", "SIGNATURE="),
      "the parameters in the fragment": ({ href }) => href.replace("?", "#"),
      "a prototype": ({ href }) => `${href.replace("signature=", "__proto__=")}&__proto__=x`,
      "another secret's signature": async (url) =>
        `${bare(url)}?${await createUrlSigner("a guess").sign(keyOf(url.href), new Date(Date.now() + 60_000))}`,
      "the signature of its other file": (url) => `${bare(url)}${new URL(hidden.thumbnailUrl as string).search}`,
      "the address of its other file": ({ search }) => `${bare(new URL(hidden.thumbnailUrl as string))}${search}`,
      "the address of another's file": ({ search }) => `${bare(new URL(theirs.originalUrl))}${search}`,
    };

    it.each(Object.keys(FORGERIES))("%s", async (name) => {
      await server.service("PATCH", `/v1/media/${theirs.id}`, { isPublic: false });
      expect((await fetch(hidden.originalUrl)).status).toBe(200);
      const url = await (FORGERIES[name] as Forge)(new URL(hidden.originalUrl));
      expect(url).not.toBe(hidden.originalUrl);
      for (const method of ["GET", "HEAD"]) {
        const response = await fetch(url, { method });
        expect(response.status).toBe(404);
        expectNothingLeaked(await response.text());
      }
    });

    it("is over when its time is", async () => {
      const signer = createUrlSigner(SIGNING_SECRET);
      const key = keyOf(hidden.originalUrl);
      const at = async (ms: number) =>
        (await fetch(`${server.baseUrl}/files/${key}?${await signer.sign(key, new Date(Date.now() + ms))}`)).status;
      expect([await at(60_000), await at(-1000), await at(8 * 24 * 3_600_000)]).toEqual([200, 404, 404]);
    });
  });

  describe("on the protocol", () => {
    const lines = (...all: readonly string[]): string => [...all, "", ""].join("\r\n");
    const post = (...headers: readonly string[]) =>
      lines("POST /v1/auth/login HTTP/1.1", "Host: localhost", "Content-Type: application/json", ...headers);
    const get = (...headers: readonly string[]) => lines("GET /v1/auth/me HTTP/1.1", "Connection: close", ...headers);

    const REQUESTS: Record<string, string> = {
      "two different lengths": `${post("Content-Length: 2", "Content-Length: 40", "Connection: close")}{}SMUGGLED`,
      "two equal lengths": `${post("Content-Length: 2", "Content-Length: 2", "Connection: close")}{}SMUGGLED`,
      "a list of lengths": `${post("Content-Length: 2, 40", "Connection: close")}{}SMUGGLED`,
      "a length and chunks": `${post("Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close")}0\r\n\r\nSMUGGLED`,
      "chunks and a length": `${post("Transfer-Encoding: chunked", "Content-Length: 5", "Connection: close")}0\r\n\r\nSMUGGLED`,
      "an unknown coding": `${post("Transfer-Encoding: xchunked", "Connection: close")}0\r\n\r\nSMUGGLED`,
      "a coding after chunked": `${post("Transfer-Encoding: chunked, identity", "Connection: close")}0\r\n\r\nSMUGGLED`,
      "a space before the colon": `${post("Transfer-Encoding : chunked", "Connection: close")}0\r\n\r\nSMUGGLED`,
      "a chunk of no size": `${post("Transfer-Encoding: chunked", "Connection: close")}zz\r\nSMUGGLED`,
      "a chunk of a negative size": `${post("Transfer-Encoding: chunked", "Connection: close")}-1\r\nSMUGGLED`,
      "a chunk larger than any number": `${post("Transfer-Encoding: chunked", "Connection: close")}fffffffffffffffff\r\nSMUGGLED`,
      "a negative length": `${post("Content-Length: -1", "Connection: close")}SMUGGLED`,
      "a signed length": `${post("Content-Length: +2", "Connection: close")}{}SMUGGLED`,
      "a length in hexadecimal": `${post("Content-Length: 0x2", "Connection: close")}{}SMUGGLED`,
      "a length beyond any number": `${post("Content-Length: 99999999999999999999", "Connection: close")}{}`,
      "a folded header": `${post("X-Folded: one\r\n Transfer-Encoding: chunked", "Content-Length: 2", "Connection: close")}{}`,
      "lines that end in LF alone": "GET /v1/auth/me HTTP/1.1\nHost: localhost\nConnection: close\n\n",
      "a CR inside a header": get("Host: localhost", "X-A: one\rX-B: two"),
      "a NUL inside a header": get("Host: localhost", "X-A: one\0two"),
      "a header without a name": get("Host: localhost", ": value"),
      "a header without a colon": get("Host: localhost", "nonsense"),
      "a header with a space in its name": get("Host: localhost", "X A: value"),
      "no host": get(),
      "a host with a space": get("Host: a b"),
      "a host with a path": get("Host: localhost/v1/media"),
      "a host with credentials": get("Host: admin@localhost"),
      "a host with markup": get("Host: <script>alert(1)</script>"),
      "a host with a query": get("Host: localhost?x="),
      "a host with a port that is none": get("Host: localhost:99999999"),
      "headers of 20 KB": get("Host: localhost", `X-Large: ${"x".repeat(20_000)}`),
      "two thousand headers": get("Host: localhost", ...Array.from({ length: 2000 }, (_, at) => `X-${at}: ${at}`)),
      "an address of 20 KB": lines(
        `GET /v1/media/${"a".repeat(20_000)} HTTP/1.1`,
        "Host: localhost",
        "Connection: close",
      ),
      "a query of 20 KB": lines(
        `GET /v1/media/search?q=${"a".repeat(20_000)} HTTP/1.1`,
        "Host: localhost",
        "Connection: close",
      ),
      "a line without a version": "GET /v1/auth/me\r\n\r\n",
      "an unknown version": lines("GET /v1/auth/me HTTP/3.7", "Host: localhost", "Connection: close"),
      "an unknown method": lines("STEAL /v1/auth/me HTTP/1.1", "Host: localhost", "Connection: close"),
      "a method in lower case": lines("get /v1/auth/me HTTP/1.1", "Host: localhost", "Connection: close"),
      TRACE: lines("TRACE /v1/auth/me HTTP/1.1", "Host: localhost", "Connection: close", "Cookie: session=x"),
      TRACK: lines("TRACK /v1/auth/me HTTP/1.1", "Host: localhost", "Connection: close"),
      CONNECT: lines("CONNECT evil.example:443 HTTP/1.1", "Host: evil.example:443"),
      "an upgrade": get("Host: localhost", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Connection: Upgrade"),
      "HTTP/2 in clear": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "TLS to a plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      garbage: "\0\xff\0\xff\r\n\r\n",
    };

    it.each(Object.keys(REQUESTS))("%s", async (name) => {
      const smuggled = lines(
        `DELETE /v1/media/${shown.id} HTTP/1.1`,
        "Host: localhost",
        `Authorization: Bearer ${owner}`,
        "Connection: close",
      );
      const answer = await sendRaw(server.baseUrl, (REQUESTS[name] as string).replace("SMUGGLED", smuggled));
      expectRefused(answer, [null, 400, 401, 404, 405, 408, 431]);
      expect(answer.text).not.toContain("The item is in the trash");
      expect((await server.call("GET", `/v1/media/${shown.id}`)).status).toBe(200);
    });

    it("answers 431 to headers that are too large, and goes on", async () => {
      const answer = await getRaw(server.baseUrl, "/healthz", [`X-Large: ${"x".repeat(20_000)}`]);
      expect(answer.status).toBe(431);
      expect((await server.call("GET", "/healthz")).status).toBe(200);
    });

    it("the target's authority decides nothing", async () => {
      const answer = await getRaw(server.baseUrl, `http://evil.example/v1/media/${shown.id}`);
      expect(answer.text).not.toContain("evil.example");
      const other = await sendRaw(
        server.baseUrl,
        lines(
          `GET /v1/media/${shown.id} HTTP/1.1`,
          "Host: evil.example",
          "Connection: close",
          "X-Forwarded-Host: evil.example",
        ),
      );
      expect([other.status, other.text.includes("evil.example")]).toEqual([200, false]);
    });

    it("no value becomes a header of an answer", async () => {
      for (const target of [
        "/v1/media/1%0d%0aX-Evil:%20yes",
        "/files/1%0d%0aX-Evil:%20yes",
        "/trpc/a%0d%0aX-Evil:%20yes",
      ])
        expect((await getRaw(server.baseUrl, target)).text.split("\r\n\r\n")[0]).not.toMatch(/x-evil/i);
      const { headers } = await server.call("GET", "/healthz", { headers: { "x-request-id": "a b\tc<script>" } });
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    });

    it.each(["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "?_method=", "?method="])(
      "%s changes no method",
      async (name) => {
        const query = name.startsWith("?") ? `${name}DELETE` : "";
        const headers: Record<string, string> = query ? {} : { [name]: "DELETE" };
        const path = `/v1/media/${shown.id}${query}`;
        expect((await server.call("POST", path, { token: owner, headers })).status).toBe(405);
        expect((await server.call("GET", path, { token: owner, headers })).status).toBe(200);
        expect((await server.call("GET", `/v1/media/${shown.id}`)).status).toBe(200);
      },
    );
  });

  describe("on queries and bodies", () => {
    const JSON_TYPE = "application/json";
    const send = async (method: string, path: string, body: BodyInit, contentType: string, token = owner) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": contentType };
      const response = await fetch(`${server.baseUrl}${path}`, { method, headers, body });
      return { status: response.status, text: await response.text() };
    };
    const nested = (open: string, close: string, depth = 100_000) => open.repeat(depth) + close.repeat(depth);

    const BODIES: Record<string, readonly [BodyInit, string]> = {
      "arrays 100,000 deep": [nested("[", "]"), JSON_TYPE],
      "objects 100,000 deep": [`${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`, JSON_TYPE],
      "tags 100,000 deep": [`{"tags":${nested("[", "]")}}`, JSON_TYPE],
      "unclosed arrays": ["[".repeat(500_000), JSON_TYPE],
      "half a million bad tags": [`{"tags":[${"0,".repeat(400_000)}0]}`, JSON_TYPE],
      "a hundred thousand unknown names": [
        `{${Array.from({ length: 60_000 }, (_, at) => `"k${at}":0`).join(",")}}`,
        JSON_TYPE,
      ],
      "a prototype": ['{"__proto__":{"polluted":true},"altText":7}', JSON_TYPE],
      "a constructor": ['{"constructor":{"prototype":{"polluted":true}}}', JSON_TYPE],
      "a prototype in a value": ['{"focalPoint":{"__proto__":{"x":0.5,"y":0.5}}}', JSON_TYPE],
      "a number beyond all": ['{"focalPoint":{"x":1e999,"y":0}}', JSON_TYPE],
      "no number": ['{"focalPoint":{"x":NaN,"y":0}}', JSON_TYPE],
      "text as truth": ['{"isPublic":"true"}', JSON_TYPE],
      "a list for a text": ['{"altText":["a"]}', JSON_TYPE],
      "an object for a text": ['{"altText":{"$ne":null}}', JSON_TYPE],
      "a text too long": [JSON.stringify({ altText: "x".repeat(501) }), JSON_TYPE],
      "too many tags": [JSON.stringify({ tags: Array.from({ length: 31 }, (_, at) => `t${at}`) }), JSON_TYPE],
      "bytes that are no UTF-8": [new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), JSON_TYPE],
      "UTF-16": [Buffer.from('{"altText":"a"}', "utf16le"), JSON_TYPE],
      XML: ['<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "text/xml"],
      "a form": ["altText=x&isPublic=false", "application/x-www-form-urlencoded"],
      "faults everywhere": [
        `{"focalPoint":{"x":[],"y":[]},"tags":[${'"",'.repeat(29)}""],"altText":0,"caption":0}`,
        JSON_TYPE,
      ],
      "a comment": ['{"altText":"a"}//', JSON_TYPE],
      "two documents": ['{"altText":"a"}{"altText":"b"}', JSON_TYPE],
      "a list": ['[{"altText":"a"}]', JSON_TYPE],
      "another's id as a number": ['{"id":1,"isApproved":true}', JSON_TYPE],
    };

    it.each(Object.keys(BODIES))("a PATCH with %s", async (name) => {
      const [body, type] = BODIES[name] as [BodyInit, string];
      const before = (await server.call("GET", `/v1/media/${shown.id}`)).body;
      const { status, text } = await send("PATCH", `/v1/media/${shown.id}`, body, type);
      expectRefused({ status, text }, [400]);
      expect(text.length).toBeLessThan(20_000);
      expect((await server.call("GET", `/v1/media/${shown.id}`)).body).toEqual(before);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });

    it.each([
      "id",
      "publicId",
      "entityId",
      "entityType",
      "entityPublicId",
      "uploadedBy",
      "storagePath",
      "storageType",
      "contentType",
      "fileSize",
      "moderationStatus",
      "isApproved",
      "processingStatus",
      "deletedAt",
      "createdAt",
      "sortOrder",
      "metadata",
      "sourceUrl",
    ])("a PATCH sets no %s", async (name) => {
      const value = typeof shown[name as keyof MediaOut] === "number" ? 4711 : "forged";
      const before = (await server.call("GET", `/v1/media/${shown.id}`)).body;
      const answer = await server.call("PATCH", `/v1/media/${shown.id}`, { token: owner, body: { [name]: value } });
      // The address names the item, whatever the body says.
      expect(answer.status).toBe(name === "id" ? 200 : 400);
      expect((await server.call("GET", `/v1/media/${shown.id}`)).body).toEqual(before);
    });

    it("the address names the item, not the query or the body", async () => {
      const aimed = `/v1/media/${theirs.id}?id=${shown.id}`;
      await server.service("PATCH", `/v1/media/${theirs.id}`, { isPublic: true });
      const answer = await server.call("PATCH", aimed, { token: stranger, body: { id: shown.id, altText: "mine" } });
      expect(answer).toMatchObject({ status: 200, body: { id: theirs.id, altText: "mine" } });
      const read = await server.call("GET", `/v1/media/${shown.id}?id=${hidden.id}`);
      expect(read).toMatchObject({ status: 200, body: { id: shown.id, altText: null } });
    });

    const LIST = "/v1/media/entity/builder/BLD-1";
    it.each([
      "?limit=1&limit=2",
      "?tag=a&tag=b",
      "?status=approved&status=pending",
      "?limit=1;limit=2",
      "?limit=-1",
      "?limit=1e9",
      "?limit=0x10",
      "?limit=9999999999999999999999",
      "?status=pending%00",
      "?field=__proto__",
      "?field=constructor",
      "?field=../cover",
      `?tag=${"x".repeat(51)}`,
      "?cursor=..%2f..%2f",
      "?cursor=%00",
      `?cursor=${"A".repeat(1001)}`,
      `?cursor=${encodeURIComponent(btoa('[0,"a0\' OR 1=1 --",1]'))}`,
      `?cursor=${encodeURIComponent(btoa('[0,"a0",{"$gt":0}]'))}`,
      `?cursor=${encodeURIComponent(btoa('[1e308,"a0",1]'))}`,
      `?cursor=${encodeURIComponent(btoa('{"__proto__":[0,"a0",1],"length":3}'))}`,
      `?cursor=${encodeURIComponent(btoa('[0,"a0",1,1]'))}`,
      `?cursor=${encodeURIComponent(btoa("[".repeat(700)))}`,
    ])("the list refuses %s", async (query) => {
      expectRefused(await server.call("GET", `${LIST}${query}`), [400]);
    });

    it.each([
      "?limit[]=1",
      "?limit[$gt]=0",
      "?__proto__=x",
      "?__proto__[audience]=everything",
      "?constructor=x&constructor=y",
      "?audience=everything",
      "?isPublic=false",
      "?Status=pending",
      "?status=pending",
      "?tag=%25",
      "?tag=%22",
      "?tag=$[*]",
      "?tag=%27%20OR%201=1%20--",
    ])("the list tells no more by %s", async (query) => {
      const answer = await server.call<{ items: MediaOut[] }>("GET", `${LIST}${query}`);
      expectRefused(answer, [200, 400]);
      expect(({} as Record<string, unknown>).audience).toBeUndefined();
    });

    it.each(["%25", "_", "%5c", "%27", "%25%25%25", "%00", "a%27%20OR%20%271%27=%271", "*", "[a-z]"])(
      "no text of a search is a pattern: %s",
      async (text) => {
        const answer = await server.call<{ items: MediaOut[] }>("GET", `/v1/media/search?q=${text}`);
        expectRefused(answer, [200]);
        expect(answer.body.items).toEqual([]);
      },
    );

    it.each([
      "?from=yesterday",
      "?from=2026-02-30",
      "?to=2026-01-01T00:00:00",
      "?type=image",
      "?limit=1000",
      `?q=${"x".repeat(201)}`,
      "?q=a&q=b",
      "?cursor=1",
    ])("the search refuses %s", async (query) => {
      expectRefused(await server.call("GET", `/v1/media/search${query}`), [400]);
    });

    it.each(["__proto__", "constructor", "hasOwnProperty", "toString"])("a form field named %s", async (name) => {
      const answer = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [
        ["file", [picture, "a.jpg"]],
        [name, "x"],
        [`${name}[polluted]`, "x"],
      ]);
      expect(answer.status).toBe(201);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
      await server.service("DELETE", `/v1/media/${answer.body.media.id}?permanent=true`);
      for (const field of ["entity_type", "entity_field", "on_duplicate"]) {
        const place = { entity_type: "builder", entity_field: "gallery", entity_id: "BLD-1", [field]: name };
        const refused = await server.post<Record<string, unknown>>("/v1/media/upload", owner, [
          ...Object.entries(place),
          ["file", [picture, "a.jpg"]],
        ]);
        expectRefused(refused, [400]);
      }
    });
  });

  describe("on tRPC", () => {
    const trpc = (method: string, path: string, body?: unknown, token?: string) =>
      server.call(method, `/trpc/${path}`, { token, body });

    it.each([
      "__proto__",
      "constructor",
      "toString",
      "media",
      "media.",
      ".media",
      "media.__proto__",
      "media.constructor",
      "media.hasOwnProperty",
      "media.get.call",
      "media.get._def",
      "_def.procedures",
      "createCaller",
      "media/get",
      "..%2fmedia.get",
      "%00",
      "",
      "media.get,media.get",
    ])("%j is no procedure", async (name) => {
      expectRefused(await trpc("GET", name), [404]);
      expectRefused(await trpc("POST", name, {}, owner), [404]);
    });

    it("a batch of a thousand is refused", async () => {
      const names = Array.from({ length: 1000 }, () => "auth.me").join(",");
      const answer = await trpc("GET", `${names}?batch=1&input=%7B%7D`, undefined, owner);
      expectRefused(answer, [400, 404]);
      expect(JSON.stringify(answer.body).length).toBeLessThan(2000);
      expect((await trpc("GET", "auth.me,auth.me?batch=1&input=%7B%7D", undefined, owner)).status).toBe(200);
    });

    it.each(["x", "[[[", "%00", "null", "5", "%7B%22__proto__%22:%7B%22id%22:1%7D%7D", "%5B1%5D", "%22text%22"])(
      "the input %s",
      async (input) => {
        expectRefused(await trpc("GET", `media.get?input=${input}`), [400]);
        expectRefused(await trpc("GET", `media.get?batch=1&input=${input}`), [400]);
      },
    );

    it("a list of faults is not answered by a longer one", async () => {
      const faults = {
        type: "builder",
        id: "BLD-1",
        field: "gallery",
        mediaIds: Array.from({ length: 9999 }, () => ({})),
      };
      const answer = await trpc("POST", "media.reorder", faults, owner);
      expectRefused(answer, [400]);
      expect(JSON.stringify(answer.body).length).toBeLessThan(20_000);
    });

    it("asks and commands keep their methods", async () => {
      const input = encodeURIComponent(JSON.stringify({ id: shown.id }));
      expectRefused(await trpc("GET", `media.delete?input=${input}`, undefined, owner), [405]);
      expectRefused(await trpc("POST", "media.get", { id: shown.id }), [405]);
      expectRefused(await trpc("DELETE", "media.delete", { id: shown.id }, owner), [405]);
      expectRefused(await trpc("HEAD", `media.delete?input=${input}`, undefined, owner), [200, 204, 405]);
      expect((await server.call("GET", `/v1/media/${shown.id}`)).status).toBe(200);
    });

    it("depth and length are bounded", async () => {
      const answer = await fetch(`${server.baseUrl}/trpc/media.batchDelete`, {
        method: "POST",
        headers: { authorization: `Bearer ${stranger}`, "content-type": "application/json" },
        body: `{"mediaIds":[${"{},".repeat(300_000)}{}]}`,
      });
      const text = await answer.text();
      expectRefused({ status: answer.status, text }, [400]);
      expect(text.length).toBeLessThan(20_000);
    });
  });

  describe("on identity", () => {
    const TOKENS = [
      "Bearer",
      "Bearer ",
      "Bearer a b",
      "Bearer null",
      "Bearer undefined",
      "Bearer true",
      "Bearer ' OR '1'='1",
      "Bearer ../../secrets/service-token",
      `Bearer ${"x".repeat(10_000)}`,
      `Bearer ${SERVICE_TOKEN}x`,
      `Bearer ${SERVICE_TOKEN.slice(0, -1)}`,
      `Bearer ${SERVICE_TOKEN.toUpperCase()}`,
      `Bearer x, Bearer ${SERVICE_TOKEN}`,
      `Bearer "${SERVICE_TOKEN}"`,
      `Basic ${btoa(`service:${SERVICE_TOKEN}`)}`,
      SERVICE_TOKEN,
      `Token ${SERVICE_TOKEN}`,
      "Bearer \xff\xfe\x80",
      "Bearer %00",
      "Bearer __proto__",
    ];

    it.each(TOKENS)("Authorization: %s", async (authorization) => {
      for (const target of ["/v1/auth/me", `/v1/media/${hidden.id}`, "/trpc/auth.me"])
        expectRefused(await getRaw(server.baseUrl, target, [`Authorization: ${authorization}`]), [400, 401]);
    });

    it.each(["x", "", "a=b; session=", '"><script>', "x".repeat(8000), "%00", "__proto__", "null", "\xff\xfe"])(
      "Cookie: session=%s",
      async (value) => {
        expectRefused(await getRaw(server.baseUrl, "/v1/auth/me", [`Cookie: session=${value}`]), [400, 401]);
        const hiddenAnswer = await getRaw(server.baseUrl, `/v1/media/${hidden.id}`, [`Cookie: session=${value}`]);
        expectRefused(hiddenAnswer, [400, 404]);
      },
    );

    it("no header but Authorization and Cookie tells who calls", async () => {
      const headers = [
        "X-User-Id: USR-ADMIN",
        "X-Forwarded-User: USR-OWNER",
        `X-Service-Token: ${SERVICE_TOKEN}`,
        `Proxy-Authorization: Bearer ${SERVICE_TOKEN}`,
        "X-Original-URL: /v1/entities/builder",
        "X-Rewrite-URL: /v1/entities/builder",
      ];
      expectRefused(await getRaw(server.baseUrl, `/v1/media/${hidden.id}`, headers), [404]);
      expectRefused(await getRaw(server.baseUrl, `/v1/auth/me?token=${SERVICE_TOKEN}`, headers), [401]);
      expectRefused(await getRaw(server.baseUrl, `/v1/auth/me?access_token=${owner}`, headers), [401]);
    });

    const CROSS_SITE: Record<string, Record<string, string>> = {
      "another origin": { origin: "https://evil.example" },
      "the null origin": { origin: "null" },
      "an origin that begins like this one": { origin: "BASE.evil.example" },
      "an origin that ends like this one": { origin: "https://evil-localhost" },
      "an origin that is no address": { origin: "evil" },
      "no origin": {},
      "a request from another site": { "sec-fetch-site": "cross-site" },
      "a request from a sibling": { "sec-fetch-site": "same-site" },
      "a simple form": { origin: "https://evil.example", "content-type": "text/plain" },
      "a spoofed host": { origin: "https://evil.example", "x-forwarded-host": "evil.example" },
    };

    it.each(Object.keys(CROSS_SITE))("a cookie's call with %s changes nothing", async (name) => {
      const given = Object.entries(CROSS_SITE[name] ?? {}).map(([key, value]) => [
        key,
        value.replace("BASE", server.baseUrl),
      ]);
      const headers = { ...Object.fromEntries(given), cookie: `session=${owner}` } as Record<string, string>;
      for (const [method, path] of [
        ["DELETE", `/v1/media/${shown.id}`],
        ["POST", "/trpc/media.delete"],
        ["POST", "/v1/media/builders/BLD-1/portfolio"],
        ["POST", "/v1/media/batch/delete"],
      ] as const) {
        const answer = await fetch(`${server.baseUrl}${path}`, {
          method,
          headers,
          ...(method === "POST" ? { body: JSON.stringify({ id: shown.id, mediaIds: [shown.id] }) } : {}),
        });
        expectRefused({ status: answer.status, text: await answer.text() }, [403]);
        expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      }
      expect((await server.call("GET", `/v1/media/${shown.id}`)).status).toBe(200);
    });

    it("no foreign page may read an answer or ask to", async () => {
      for (const origin of ["https://evil.example", "null", `${server.baseUrl}.evil.example`]) {
        const preflight = await fetch(`${server.baseUrl}/v1/media/${shown.id}`, {
          method: "OPTIONS",
          headers: { origin, "access-control-request-method": "DELETE" },
        });
        expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
        const read = await fetch(`${server.baseUrl}/v1/auth/me`, { headers: { origin, cookie: `session=${owner}` } });
        await read.arrayBuffer();
        expect(read.headers.get("access-control-allow-origin")).toBeNull();
      }
    });
  });

  describe("on rights", () => {
    const CALLS = [
      ["PUT", "/v1/users/USR-OWNER", { role: "admin" }],
      ["PUT", "/v1/users/USR-NEW", { role: "admin", verified: true }],
      ["PUT", "/v1/entities/builder/BLD-2", { ownerId: "USR-OWNER" }],
      ["PUT", "/v1/entities/builder/BLD-1", { ownerId: "USR-OWNER", adminIds: ["USR-OWNER"] }],
      ["PUT", "/v1/entities/builder/BLD-1/members", { adminIds: ["USR-OWNER"] }],
      ["DELETE", "/v1/entities/builder/BLD-1"],
      ["PUT", "/v1/entities/builder/BLD-2/grants/USR-OWNER", { right: "upload" }],
      ["POST", "/v1/auth/sessions", { userId: "USR-STRANGER" }],
      ["GET", "/v1/entities/builder"],
      ["GET", "/v1/media/moderation/queue"],
      ["POST", "/v1/media/batch/approve", [1]],
      ["GET", "/v1/media/analytics/storage"],
      ["GET", "/v1/media/health/storage-sync"],
      ["DELETE", "/v1/media/SHOWN?permanent=true"],
      ["DELETE", "/v1/media/THEIRS"],
      ["PATCH", "/v1/media/THEIRS", { isPublic: false }],
      ["POST", "/v1/media/THEIRS/move", { before: 1 }],
      ["POST", "/v1/media/entity/builder/BLD-2/reorder", { field: "gallery", mediaIds: [1] }],
      ["POST", "/trpc/users.upsert", { publicId: "USR-OWNER", role: "admin" }],
      ["POST", "/trpc/entities.upsert", { type: "builder", publicId: "BLD-2", ownerId: "USR-OWNER" }],
      ["POST", "/trpc/auth.createSession", { userId: "USR-STRANGER" }],
      ["POST", "/trpc/health.repair", {}],
    ] as const;

    it.each(CALLS)("a user may not %s %s", async (...call) => {
      const [method, path, body] = call as readonly [string, string, unknown?];
      await server.service("PATCH", `/v1/media/${theirs.id}`, { isPublic: true });
      const aimed = path.replace("SHOWN", String(shown.id)).replace("THEIRS", String(theirs.id));
      expectRefused(await server.call(method, aimed, { token: owner, body }), [403]);
      expectRefused(await server.call(method, aimed, { body }), [401]);
      const me = await server.call("GET", "/v1/auth/me", { token: owner });
      expect(me.body).toMatchObject({ role: "user", verified: false });
      expect((await server.call("GET", "/v1/entities/builder/BLD-2", { token: owner })).body).toMatchObject({
        ownerId: "USR-STRANGER",
      });
    });
  });

  describe("on readers of what was sent", () => {
    const MARKUP = `<script>alert("x")</script><img src=x onerror=alert(1)>`;

    it("markup comes back as JSON alone", async () => {
      const name = "<img src=x onerror=alert(1)>.jpg";
      const { body, headers } = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [
        ["file", [picture, name]],
        ["alt_text", MARKUP],
        ["caption", MARKUP],
        ["tags", "<b>"],
      ]);
      expect(body.media).toMatchObject({ altText: MARKUP, caption: MARKUP, tags: ["<b>"], originalFilename: name });
      for (const url of [body.media.originalUrl, ...body.media.variants.map((variant) => variant.url)])
        expect(url).not.toMatch(/[<>"]/);
      const answers = [
        headers,
        (await server.call("GET", `/v1/media/${body.media.id}`)).headers,
        (await server.call("GET", "/v1/media/entity/builder/BLD-1")).headers,
        (await server.call("GET", `/trpc/media.get?input=${encodeURIComponent(`{"id":${body.media.id}}`)}`)).headers,
        (await server.call("GET", `/v1/media/${encodeURIComponent("<script>")}`)).headers,
        (await server.call("GET", `/${encodeURIComponent("<script>")}`)).headers,
        (await server.call("GET", "/v1/media/search?limit=<script>")).headers,
      ];
      for (const given of answers) {
        expect(given.get("content-type")).toMatch(/^application\/(problem\+)?json/);
        expect(given.get("x-content-type-options")).toBe("nosniff");
      }
      for (const page of ["/docs", "/console", "/console/", "/metrics", "/openapi.json"]) {
        const text = await (await fetch(`${server.baseUrl}${page}`)).text();
        expect(text).not.toContain("onerror=alert(1)");
      }
      await server.service("DELETE", `/v1/media/${body.media.id}?permanent=true`);
    });

    it("a picture that is also a page or a script is served as a picture in a sandbox", async () => {
      const polyglots = {
        "page.html": Buffer.concat([picture, Buffer.from("<html><script>alert(1)</script>")]),
        "script.js": Buffer.concat([picture, Buffer.from("*/=1;alert(1)//")]),
        "archive.zip": Buffer.concat([picture, Buffer.from("PK\x03\x04", "latin1")]),
        "shell.php": Buffer.concat([picture, Buffer.from("<?php system($_GET[0]);")]),
      };
      for (const [name, bytes] of Object.entries(polyglots)) {
        const { status, body } = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [
          ["file", [bytes, name]],
        ]);
        expect(status).toBe(201);
        expect(body.media.originalUrl).toMatch(/\.jpg$/);
        const response = await fetch(body.media.originalUrl);
        await response.arrayBuffer();
        expect(Object.fromEntries(response.headers)).toMatchObject({
          "content-type": "image/jpeg",
          "x-content-type-options": "nosniff",
          "content-security-policy": "default-src 'none'; sandbox",
        });
        await server.service("DELETE", `/v1/media/${body.media.id}?permanent=true`);
      }
    });

    it.each([
      ["a page", "<!doctype html><script>alert(1)</script>", "a.jpg"],
      ["an SVG", '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "a.png"],
      ["an SVG behind a BOM", '\ufeff<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "a.jpg"],
      ["a script behind a picture's first bytes", "GIF89a/*\0*/=1;alert(1)", "a.gif"],
      ["an archive", "PK\x03\x04\x14\0\0\0", "a.jpg"],
      ["a PDF", "%PDF-1.7\n", "a.jpg"],
      ["a program", "\x7fELF\x02\x01\x01", "a.jpg"],
      ["a PostScript", "%!PS-Adobe-3.0\n", "a.jpg"],
      ["an MVG", "push graphic-context\nfill 'url(https://evil.example)'", "a.jpg"],
    ])("%s named as a picture is refused", async (_, content, name) => {
      const parts = [["file", [new TextEncoder().encode(content), name]]] as const;
      expectRefused(
        await server.post<Record<string, unknown>>("/v1/media/builders/BLD-1/portfolio", owner, parts),
        [400],
      );
    });

    it.each([
      "../../../evil.jpg",
      "..\\..\\evil.jpg",
      "/etc/passwd.jpg",
      "C:\\evil.jpg",
      "a\0b.jpg",
      ".htaccess",
      "..",
      "a;b|c.jpg",
      "CON",
    ])("the file name %j leads nowhere", async (name) => {
      const answer = await server.post("/v1/media/builders/BLD-1/portfolio", owner, [["file", [picture, name]]]);
      expect([201, 400]).toContain(answer.status);
      if (answer.status === 400) return;
      const { media } = answer.body;
      expect(keyOf(media.originalUrl)).toMatch(/^builders\/photos\/BLD-1\/\d{4}-\d{2}\/gallery-\d{14}-[\w-]+\.jpg$/);
      await server.service("DELETE", `/v1/media/${media.id}?permanent=true`);
    });
  });

  it("after all of it the server is well and holds what it held, nothing else", async () => {
    expect((await server.call("GET", "/healthz")).body).toMatchObject({ status: "ok" });
    expect((await server.call("GET", "/readyz")).status).toBe(200);
    const last = await upload("/builders/BLD-1/portfolio", owner);
    expect((await fetch(last.originalUrl)).status).toBe(200);
    const keys = [shown, hidden, theirs, last]
      .flatMap((item) => [item.originalUrl, ...item.variants.map(({ url }) => url)])
      .map(keyOf);
    expect(await server.files()).toEqual({ stored: keys.sort(), spooled: [] });
    expect(await readdir(server.folder)).toEqual(foldersBefore);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
