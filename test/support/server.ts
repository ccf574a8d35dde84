import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.js";
import type { MediaOut } from "../../src/media/model.js";
import { startServer } from "../../src/start-server.js";
import { filesBelow } from "./files-below.js";

export const SERVICE_TOKEN = "test-service-token-0123456789";

export type Answer<T = Record<string, unknown>> = { status: number; headers: Headers; body: T };
export type UploadResult = {
  media: MediaOut;
  message: string;
  duplicates: { publicId: string; distance: number; tier: string }[];
};

/** The whole server on a free port over an empty folder of its own, called over HTTP like by any client. */
export async function startTestServer(env: Record<string, string> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "media-server-"));
  const settings = {
    PORT: "0",
    DATA_DIR: folder,
    SERVICE_TOKEN,
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? "silent",
    ...env,
  };
  const server = await startServer(loadConfig(settings));
  const { baseUrl } = server;
  return {
    baseUrl,
    folder,
    ...createApi(baseUrl),
    /** Every stored object, spooled and temporary file, by path below the data folder. */
    files: () => filesBelow(folder),
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type TestServer = Awaited<ReturnType<typeof startTestServer>>;

export type CallOptions = { token?: string | undefined; body?: unknown; headers?: Record<string, string> };

export function createApi(baseUrl: string) {
  async function call<T = Record<string, unknown>>(
    method: string,
    path: string,
    options: CallOptions = {},
  ): Promise<Answer<T>> {
    const { token, body } = options;
    const headers: Record<string, string> = { ...options.headers };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    return toAnswer<T>(await fetch(`${baseUrl}${path}`, init));
  }

  const service = async <T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> => {
    const answer = await call<T>(method, path, { token: SERVICE_TOKEN, body });
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  return {
    call,
    service,
    /** Makes a user and answers a bearer token. */
    async user(publicId: string, values: Record<string, unknown> = {}): Promise<string> {
      await service("PUT", `/v1/users/${publicId}`, { role: "user", ...values });
      return (await service<{ token: string }>("POST", "/v1/auth/sessions", { userId: publicId })).token;
    },
    entity: (type: string, publicId: string, values: Record<string, unknown> = {}) =>
      service<{ id: number }>("PUT", `/v1/entities/${type}/${publicId}`, values),
    /** Posts a form; a file is `[bytes, name]`, parts go out in the order given. */
    async post<T = UploadResult>(
      path: string,
      token: string | undefined,
      parts: Parts,
      headers: Record<string, string> = {},
    ) {
      const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const init = { method: "POST", headers: { ...authorization, ...headers }, body: toForm(parts) };
      return toAnswer<T>(await fetch(`${baseUrl}${path}`, init));
    },
  };
}

export type Parts = readonly (readonly [name: string, value: string | readonly [Uint8Array, string]])[];

export function toForm(parts: Parts): FormData {
  const form = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === "string") form.append(name, value);
    else form.append(name, new Blob([new Uint8Array(value[0])]), value[1]);
  }
  return form;
}

async function toAnswer<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === "" ? null : JSON.parse(text)) as T };
}
