import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createMediaClient, type NativeFile, type UploadProgress } from "../../client/index.js";
import { startWireServer } from "../support/wire-server.js";
import { MEDIA, problem } from "./wire-answers.js";

const PLACE = { entityType: "property", id: "PRP-1", field: "gallery" } as const;
const PICKED: NativeFile = { uri: "file:///photos/1.jpg", name: "1.jpg", type: "image/jpeg" };
/** What lies on the phone. */
const FILES: Readonly<Record<string, string>> = { [PICKED.uri]: "picture" };

/** React Native's form as far as it differs: parts are kept as they are given, and only its own request reads them. */
class NativeFormData {
  readonly parts: [name: string, value: string | Blob | NativeFile][] = [];
  append(name: string, value: string | Blob | NativeFile): void {
    this.parts.push([name, value]);
  }
}

function toForm({ parts }: NativeFormData): FormData {
  const form = new StandardFormData();
  for (const [name, value] of parts) {
    if (typeof value === "string") form.append(name, value);
    else if (value instanceof Blob) form.append(name, value);
    else form.append(name, new Blob([FILES[value.uri]!], { type: value.type }), value.name);
  }
  return form;
}

/** Its request, over the real wire. */
class NativeXmlHttpRequest {
  upload: { onprogress?: (event: UploadProgress) => void } = {};
  onload = (): void => undefined;
  onerror = (): void => undefined;
  onloadend = (): void => undefined;
  status = 0;
  responseText = "";
  withCredentials = false;
  #url = "";
  #headers: Record<string, string> = {};
  #answered = new Headers();
  open(_method: string, url: string): void {
    this.#url = url;
  }
  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }
  getResponseHeader(name: string): string | null {
    return this.#answered.get(name);
  }
  send(form: NativeFormData): void {
    this.upload.onprogress?.({ loaded: 3, total: 7 });
    this.upload.onprogress?.({ loaded: 7, total: 7 });
    void fetch(this.#url, { method: "POST", headers: this.#headers, body: toForm(form) })
      .then(async (response) => {
        this.status = response.status;
        this.#answered = response.headers;
        this.responseText = await response.text();
        this.onload();
      }, this.onerror)
      .finally(() => this.onloadend());
  }
}

const StandardFormData = FormData;
let server: Awaited<ReturnType<typeof startWireServer>>;
let answers: Response[];
let received: { name: string; type: string; text: string; key: string | null }[];

beforeAll(async () => {
  server = await startWireServer(async (request) => {
    const form = await request.formData();
    const file = form.get("file") as File;
    const key = request.headers.get("idempotency-key");
    received.push({ name: file.name, type: file.type, text: await file.text(), key });
    return answers.shift() ?? Response.json({ media: MEDIA, message: "", duplicates: [] }, { status: 201 });
  });
});
afterAll(() => server.stop());
beforeEach(() => {
  answers = [];
  received = [];
});

describe("on React Native", () => {
  beforeEach(() => {
    vi.stubGlobal("FormData", NativeFormData);
    vi.stubGlobal("XMLHttpRequest", NativeXmlHttpRequest);
    vi.stubGlobal("crypto", undefined);
  });
  afterEach(() => vi.unstubAllGlobals());

  it("a picked file is sent by its uri, with progress, retries and a key without any crypto", async () => {
    answers = [problem({ code: "INTERNAL" })];
    const progress: UploadProgress[] = [];
    const client = createMediaClient({ baseUrl: server.baseUrl });
    const { media } = await client.upload(PLACE, PICKED, { onProgress: (event) => progress.push(event) });
    expect(media.publicId).toBe("MED-7");
    const sent = { name: "1.jpg", type: "image/jpeg", text: "picture", key: received[0]?.key };
    expect(received).toEqual([sent, sent]);
    expect(sent.key).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    expect(progress.map(({ loaded }) => loaded)).toEqual([3, 7, 0, 3, 7]);
  });

  it("a Blob is sent as everywhere", async () => {
    const onProgress = () => undefined;
    await createMediaClient({ baseUrl: server.baseUrl }).upload(PLACE, new File(["bytes"], "b.jpg"), { onProgress });
    expect(received[0]).toMatchObject({ name: "b.jpg", text: "bytes" });
  });

  it("nothing is told of progress where cookies stay at home, since the form does not tell its size", async () => {
    const progress: UploadProgress[] = [];
    const overWire: typeof fetch = (url, init) =>
      fetch(url, { ...init!, body: toForm(init?.body as unknown as NativeFormData) });
    const client = createMediaClient({ baseUrl: server.baseUrl, credentials: "omit", fetch: overWire });
    await client.upload(PLACE, PICKED, { onProgress: (event) => progress.push(event) });
    expect([received[0]?.text, progress]).toEqual(["picture", []]);
  });

  it("an abort needs no `throwIfAborted` and no DOMException", async () => {
    vi.stubGlobal("DOMException", undefined);
    const signal = { aborted: true } as AbortSignal;
    const client = createMediaClient({ baseUrl: server.baseUrl });
    for (const onProgress of [undefined, () => undefined])
      await expect(client.upload(PLACE, PICKED, { signal, onProgress })).rejects.toMatchObject({ code: "ABORTED" });
    expect(received).toEqual([]);
  });
});

describe("elsewhere", () => {
  it("a file by its uri is a mistake of the caller, and nothing is sent", async () => {
    const client = createMediaClient({ baseUrl: server.baseUrl });
    await expect(client.upload(PLACE, PICKED)).rejects.toThrow(TypeError);
    await expect(client.uploadBatch(PLACE, [new Blob(["a"]), PICKED])).rejects.toThrow(/React Native/);
    expect(received).toEqual([]);
  });
});
