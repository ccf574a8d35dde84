import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { createMediaClient, toMediaClientError } from "../../client/index.js";
import { scenery } from "../support/pictures.js";
import { startTestServer, type TestServer } from "../support/server.js";

describe("events of the client", () => {
  let server: TestServer;
  let token: string;
  let bytes: Uint8Array<ArrayBuffer>;

  beforeAll(async () => {
    server = await startTestServer();
    token = await server.user("USR-1");
    bytes = new Uint8Array(await scenery(150, 120).jpeg().toBuffer());
  });
  afterAll(() => server.stop());

  const createClient = (over: { token?: string; fetch?: typeof fetch } = {}) =>
    createMediaClient({ baseUrl: server.baseUrl, token, ...over });
  const ticket = () =>
    createClient().api.uploads.createDirect.mutate({
      entityType: "user",
      entityId: "USR-1",
      field: "avatar",
      filename: "a.jpg",
      fileSize: bytes.length,
    });

  it("tell how a direct upload stands, with the bearer token, over a connection that breaks", async () => {
    const { uploadId, url, headers } = await ticket();
    let streams = 0;
    /** The first stream breaks after what it says at once. */
    const breaking: typeof fetch = async (...request) => {
      const answer = await fetch(...request);
      if (!answer.headers.get("content-type")?.startsWith("text/event-stream") || ++streams > 1) return answer;
      const told = answer.body?.getReader();
      let chunk = "";
      while (!chunk.includes("waiting")) chunk += new TextDecoder().decode((await told?.read())?.value);
      await told?.cancel();
      return new Response(`${chunk}\n\n`, answer);
    };
    const client = createClient({ fetch: breaking });
    const states: string[] = [];
    await new Promise<void>((resolve, reject) => {
      client.api.uploads.onProgress.subscribe(
        { uploadId },
        {
          onData({ data }) {
            expectTypeOf(data.state).toEqualTypeOf<"waiting" | "processing" | "ready" | "failed">();
            states.push(data.state);
            if (states.length > 1) return;
            const finish = async () => {
              await fetch(url, { method: "PUT", headers, body: bytes });
              await client.api.uploads.complete.mutate({ uploadId });
            };
            finish().catch(reject);
          },
          onError: reject,
          onComplete: resolve,
        },
      );
    });
    expect([states[0], states.at(-1), streams]).toEqual(["waiting", "ready", 2]);
  });

  it("end with the server's failure where they are refused", async () => {
    const { uploadId } = await ticket();
    const stranger = await server.user("USR-2");
    const error = await new Promise((resolve) => {
      createClient({ token: stranger }).api.uploads.onProgress.subscribe({ uploadId }, { onError: resolve });
    });
    expect(toMediaClientError(error).problem).toMatchObject({ code: "NOT_FOUND" });
  });

  it("end where the answer is no stream", async () => {
    const { uploadId } = await ticket();
    const error = await new Promise((resolve) => {
      createClient({ token: "stale" }).api.uploads.onProgress.subscribe({ uploadId }, { onError: resolve });
    });
    expect(error).toBeInstanceOf(Error);
  });
});
