import type { NamedToken } from "../../src/accounts/ports.js";
import { loadConfig } from "../../src/config.js";
import type { MediaOut } from "../../src/media/model.js";
import type { Deps } from "../../src/media/ports.js";
import type { Scope } from "../../src/media/rights.js";
import { openTables } from "../../src/open-resources.js";
import { newToken } from "../../src/security/new-token.js";
import { startServer } from "../../src/start-server.js";
import { currentCombination } from "./combination.js";
import { openEdgeFront } from "./edge-front.js";
import { openStage } from "./stage.js";

export const SERVICE_TOKEN = "test-service-token-0123456789";

export type Answer<T = Record<string, unknown>> = { status: number; headers: Headers; body: T };
export type UploadResult = {
  media: MediaOut;
  message: string;
  duplicates: { publicId: string; distance: number; tier: string }[];
};

type Env = Record<string, string>;

/**
 * The whole server on a free port, over a database and a store of its own as the current combination has them, called
 * over HTTP like by any client. `env` is added to its configuration, which it may be made from.
 */
export async function startTestServer(
  env: Env | ((settings: Env) => Promise<Env>) = {},
  combination = currentCombination(),
) {
  const { env: settings, remove, ...stage } = await openStage(combination);
  const added = typeof env === "function" ? await env(settings) : env;
  let deps: Deps | undefined;
  const decorate = (given: Deps): Deps => {
    deps = given;
    return given;
  };
  const front = combination.edge ? await openEdgeFront() : null;
  const whole = { ...settings, SERVICE_TOKEN, ...added, ...front?.env };
  const config = loadConfig(whole);
  const server = await startServer(config, { decorate });
  await front?.serve(whole);
  if (!deps) throw new Error("The server has put nothing together.");
  const { baseUrl } = server;
  return {
    ...stage,
    ...createApi(baseUrl),
    baseUrl,
    /** What it was configured with, as another process over the same database, store and secrets needs it. */
    settings: { ...whole, BASE_URL: baseUrl } as Env,
    /** What it works with: for jobs of its upkeep, whose time has not come. */
    deps,
    /** Puts a named token on record beside the running server, as the command line does, and answers it. */
    async namedToken(name: string, scopes: readonly Scope[], rest: Partial<NamedToken> = {}): Promise<string> {
      const { opened } = await openTables(config);
      const { createdAt = new Date(), expiresAt = null } = rest;
      const token = newToken();
      await opened.tokens.add(token, { name, scopes, expiresAt }, createdAt);
      await opened.close();
      return token;
    },
    async stop() {
      await front?.stop();
      await server.stop();
      await remove();
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
