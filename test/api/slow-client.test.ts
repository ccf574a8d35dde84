import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quarters } from "../support/pictures.js";
import { startTestServer, type TestServer } from "../support/server.js";

describe("a client that stops sending", () => {
  let server: TestServer;
  let token: string;
  let picture: Buffer;

  beforeAll(async () => {
    server = await startTestServer({ REQUEST_IDLE_SECONDS: "1" });
    token = await server.user("USR-1");
    picture = await quarters(200, 200).jpeg().toBuffer();
  });
  afterAll(() => server.stop());

  const open = async (): Promise<Socket> => {
    const socket = connect(Number(new URL(server.baseUrl).port), "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => undefined); // it may be cut while it is written to
    return socket;
  };

  /** What comes back until the answer is whole, or the connection is closed. */
  async function answerOf(socket: Socket): Promise<string> {
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) {
      text += chunk;
      const length = /content-length: (\d+)/i.exec(text)?.[1];
      const [, body] = text.split("\r\n\r\n");
      if (length !== undefined && body !== undefined && Buffer.byteLength(body) >= Number(length)) break;
    }
    socket.destroy();
    return text;
  }

  const requestHead = (path: string, type: string, framing: string): string =>
    [
      `POST ${path} HTTP/1.1`,
      "Host: localhost",
      `Authorization: Bearer ${token}`,
      `Content-Type: ${type}`,
      framing,
      "",
      "",
    ].join("\r\n");

  async function stall(path: string, type: string, sent: Buffer, framing = "Content-Length: 5000"): Promise<string> {
    const socket = await open();
    socket.write(requestHead(path, type, framing));
    socket.write(sent);
    return answerOf(socket);
  }

  const FORM = "multipart/form-data; boundary=x";
  const fileHead = (name: string): Buffer =>
    Buffer.from(`--x\r\nContent-Disposition: form-data; name="${name}"; filename="a.jpg"\r\n\r\n`);
  const avatar = "/v1/media/users/USR-1/avatar";
  const general = "/v1/media/upload?entity_type=user&entity_id=USR-1&entity_field=avatar";
  const batch = "/v1/media/batch/upload?entity_type=user&entity_id=USR-1&entity_field=avatar";

  const stops = {
    "before the first byte of a form": () => stall(avatar, FORM, Buffer.alloc(0)),
    "in the headers of a part": () => stall(avatar, FORM, fileHead("file").subarray(0, 30)),
    "in the middle of a file": () => stall(avatar, FORM, Buffer.concat([fileHead("file"), picture.subarray(0, 1000)])),
    "in the middle of a general upload": () =>
      stall(general, FORM, Buffer.concat([fileHead("file"), picture.subarray(0, 1000)])),
    "in the middle of a batch": () =>
      stall(batch, FORM, Buffer.concat([fileHead("files"), picture, Buffer.from("\r\n"), fileHead("files")])),
    "in the middle of a chunked body": () =>
      stall(
        avatar,
        FORM,
        Buffer.from(`${fileHead("file").length.toString(16)}\r\n${fileHead("file").toString()}\r\n`),
        "Transfer-Encoding: chunked",
      ),
    "in the middle of a JSON body": () => stall("/v1/auth/login", "application/json", Buffer.from('{"email":"a')),
    "in the middle of a tRPC call": () => stall("/trpc/auth.logout", "application/json", Buffer.from("{")),
  };

  it.each(Object.entries(stops))("%s is answered 408 REQUEST_TIMEOUT and leaves nothing", async (_where, act) => {
    const before = await server.files();
    const answer = await act();
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
    expect(await server.files()).toEqual(before);
  });

  it("before its first byte is cut off", async () => {
    expect(await answerOf(await open())).toMatch(/^$|^HTTP\/1\.1 408 /);
  });

  it("in its headers is cut off", async () => {
    const socket = await open();
    socket.write("GET /healthz HTTP/1.1\r\nHost: loc");
    expect(await answerOf(socket)).toMatch(/^$|^HTTP\/1\.1 408 /);
  });

  it("and goes away in the middle of a file leaves nothing", async () => {
    const before = await server.files();
    const socket = await open();
    socket.write(requestHead(avatar, FORM, "Content-Length: 5000"));
    socket.write(Buffer.concat([fileHead("file"), picture.subarray(0, 1000)]));
    await expect.poll(async () => (await server.files()).spooled.length).toBeGreaterThan(before.spooled.length);
    socket.destroy();
    await expect.poll(() => server.files()).toEqual(before);
  });

  it("is told from one that is slow but goes on", async () => {
    const body = Buffer.concat([fileHead("file"), picture, Buffer.from("\r\n--x--\r\n")]);
    const socket = await open();
    socket.write(requestHead(avatar, FORM, `Content-Length: ${body.length}\r\nConnection: close`));
    const answer = answerOf(socket);
    const step = Math.ceil(body.length / 6);
    for (let at = 0; at < body.length; at += step) {
      socket.write(body.subarray(at, at + step));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(await answer).toMatch(/^HTTP\/1\.1 201 /);
  });

  it("does not keep others from being served", async () => {
    const stalled = await Promise.all(Array.from({ length: 20 }, () => open()));
    for (const socket of stalled) socket.write(requestHead(avatar, FORM, "Content-Length: 5000"));
    expect((await server.post(avatar, token, [["file", [picture, "a.jpg"]]])).status).toBe(201);
    for (const socket of stalled) socket.destroy();
  });

  it("a header larger than 16 kB is refused", async () => {
    const socket = await open();
    socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe("a client that stops reading", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ REQUEST_IDLE_SECONDS: "1" });
  });
  afterAll(() => server.stop());

  /** Far more than the buffers of a connection hold: the script of `/docs` has 1.7 MB. */
  const ANSWERS = 20;
  const ASKED = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

  async function ask(answers: number): Promise<Socket> {
    const socket = connect(Number(new URL(server.baseUrl).port), "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => undefined); // it may be cut while it is read
    socket.pause().write(ASKED.repeat(answers));
    return socket;
  }

  /** Reads a chunk at a time until so many answers have begun, or the connection has ended. */
  async function readSlowly(socket: Socket, expected: number): Promise<number> {
    let answers = 0;
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      answers += chunk.toString("latin1").split("HTTP/1.1 200").length - 1;
      if (answers === expected) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return answers;
  }

  it("is cut off, and costs the server nothing more", async () => {
    const before = sockets();
    const socket = await ask(ANSWERS);
    await expect.poll(sockets).toBe(before + 2);
    await expect.poll(sockets, { timeout: 20_000 }).toBe(before + 1);
    socket.destroy();
  });

  it("is told from one that is slow but goes on", async () => {
    expect(await readSlowly(await ask(9), 9)).toBe(9);
  });
});
