import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FAULTS, type FaultPlan, type FaultProxy, startFaultProxy } from "./fault-proxy.js";

const BODY = "sixteen letters.";

describe("fault proxy", () => {
  let server: Server;
  let proxy: FaultProxy;
  /** Method, host and body of every request that reached the server. */
  let received: string[];

  beforeEach(async () => {
    received = [];
    server = createServer((asked, answer) => {
      const chunks: Buffer[] = [];
      asked.on("data", (chunk: Buffer) => chunks.push(chunk));
      asked.on("end", () => {
        received.push(`${asked.method} ${asked.headers.host} ${Buffer.concat(chunks).toString("latin1")}`);
        answer.writeHead(200, { "content-length": BODY.length, etag: '"of-the-server"' }).end(BODY);
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { seed: 7 });
  });
  afterEach(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });

  const hostOf = () => new URL(proxy.endpoint).host;
  const ask = async (method = "GET", body?: string) => {
    const answer = await fetch(proxy.endpoint, body === undefined ? { method } : { method, body });
    return { status: answer.status, text: await answer.text(), etag: answer.headers.get("etag") };
  };
  const WELL = { status: 200, text: BODY, etag: '"of-the-server"' };

  it("passes on what it is given, with the host the client named", async () => {
    expect(await ask()).toEqual(WELL);
    expect(await ask("PUT", BODY)).toEqual(WELL);
    expect((await fetch(proxy.endpoint, { method: "HEAD" })).headers.get("etag")).toBe(WELL.etag);
    expect(received).toEqual([`GET ${hostOf()} `, `PUT ${hostOf()} ${BODY}`, `HEAD ${hostOf()} `]);
  });

  it("streams a body as it comes", async () => {
    const asked = request(proxy.endpoint, { method: "PUT", headers: { expect: "100-continue" } });
    asked.flushHeaders();
    await once(asked, "continue");
    for (let piece = 0; piece < 1000; piece++) if (!asked.write("x".repeat(10_000))) await once(asked, "drain");
    asked.end();
    const [answer] = await once(asked, "response");
    expect(await answer.toArray()).toHaveLength(1);
    expect(received[0]?.length).toBe(`PUT ${hostOf()} `.length + 10_000_000);
  });

  it("breaks the connection before the server heard of anything", async () => {
    proxy.plan({ fault: "reset before", next: 1 });
    await expect(ask("POST", BODY)).rejects.toThrow(TypeError);
    expect(received).toEqual([]);
    expect(await ask()).toEqual(WELL);
  });

  it("breaks the connection after the server did what was asked", async () => {
    proxy.plan({ fault: "reset after", next: 1 });
    await expect(ask("POST", BODY)).rejects.toThrow(TypeError);
    expect(received).toEqual([`POST ${hostOf()} ${BODY}`]);
    expect(await ask()).toEqual(WELL);
  });

  it.each([
    ["internal error", 500, "<Code>InternalError</Code>"],
    ["slow down", 503, "<Code>SlowDown</Code>"],
  ] as const)("answers %s as S3 does, and the server hears nothing", async (fault, status, text) => {
    proxy.plan({ fault });
    const answer = await ask("PUT", BODY);
    expect(answer.status).toBe(status);
    expect(answer.text).toContain(text);
    expect(await ask("HEAD")).toMatchObject({ status, text: "" });
    expect(received).toEqual([]);
  });

  it("breaks off in the middle of an answer", async () => {
    proxy.plan({ fault: "half an answer", next: 1 });
    const answer = await fetch(proxy.endpoint);
    expect(answer.headers.get("content-length")).toBe(String(BODY.length));
    await expect(answer.text()).rejects.toThrow(TypeError);
  });

  it("changes a bit of what is sent, or of what is answered", async () => {
    proxy.plan({ fault: "corrupt request", next: 1 }, { fault: "corrupt answer", next: 1 });
    const changed = `${BODY.slice(0, 8)}${String.fromCharCode(BODY.charCodeAt(8) ^ 1)}${BODY.slice(9)}`;
    expect(await ask("PUT", BODY)).toEqual(WELL);
    expect(received).toEqual([`PUT ${hostOf()} ${changed}`]);
    expect(await ask()).toEqual({ ...WELL, text: changed });
  });

  it("lets a request wait, and others of other methods not", async () => {
    const order: string[] = [];
    proxy.plan({ fault: "latency", methods: ["PUT"], milliseconds: 200 });
    await Promise.all([ask("PUT", BODY).then(() => order.push("late")), ask("GET").then(() => order.push("at once"))]);
    expect(order).toEqual(["at once", "late"]);
  });

  it("is closed while it refuses, at the same address again when it does not", async () => {
    expect(await ask()).toEqual(WELL);
    await proxy.refuse();
    await expect(ask()).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await proxy.accept();
    expect(await ask()).toEqual(WELL);
  });

  it("breaks a connection whose server is gone", async () => {
    server.closeAllConnections();
    server.close();
    await expect(ask()).rejects.toThrow(TypeError);
  });

  const outcomes = async (): Promise<number[]> => {
    const statuses: number[] = [];
    for (let n = 0; n < 60; n++) statuses.push((await ask()).status);
    return statuses;
  };

  it("strikes a share of requests, the same ones for the same seed", async () => {
    const plan: FaultPlan = { fault: "internal error", share: 0.3 };
    proxy.plan(plan);
    const first = await outcomes();
    expect(proxy.struck["internal error"]).toBe(first.filter((status) => status === 500).length);
    expect(proxy.struck["internal error"]).toBeGreaterThan(5);
    expect(proxy.struck["internal error"]).toBeLessThan(40);
    await proxy.close();
    proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { seed: 7 });
    proxy.plan(plan);
    expect(await outcomes()).toEqual(first);
  });

  it("counts nothing that it did not do", async () => {
    await ask();
    expect(proxy.struck).toEqual(Object.fromEntries(FAULTS.map((fault) => [fault, 0])));
  });
});
