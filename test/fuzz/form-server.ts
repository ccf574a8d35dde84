import { once } from "node:events";
import { request } from "node:http";
import { startTestServer } from "../support/server.js";
import type { Outcome } from "./form-stage.js";
import type { Body } from "./mutate-form.js";

export type FormServer = {
  /** Posts the body as it stands, in chunks or with its length. */
  send(body: Body): Promise<Outcome>;
  /** What is left in the spool and the store, in words; null where there is nothing. Noise is no picture. */
  leftovers(): Promise<string | null>;
  close(): Promise<void>;
};

/** A whole server over SQLite and a folder. */
export async function openFormServer(): Promise<FormServer> {
  const server = await startTestServer({}, { database: "sqlite", store: "local" });
  const token = await server.user("USR-1");
  await server.entity("builder", "BLD-1", { ownerId: "USR-1" });
  const url = `${server.baseUrl}/v1/media/builders/BLD-1/portfolio`;

  async function send({ contentType, body }: Body): Promise<Outcome> {
    const length = body.length % 2 === 0 ? { "content-length": String(body.length) } : {};
    const headers = { authorization: `Bearer ${token}`, "content-type": contentType, ...length };
    const sent = request(url, { method: "POST", headers });
    sent.end(body);
    const [response] = await once(sent, "response");
    const text = Buffer.concat(await response.toArray()).toString();
    return judge(response.statusCode, text);
  }

  return {
    send: (body) => send(body).catch((error: unknown) => ({ told: `threw ${String(error)}`, isFinding: true })),
    async leftovers() {
      const { spooled, stored } = await server.files();
      return spooled.length + stored.length === 0 ? null : JSON.stringify({ spooled, stored });
    },
    close: () => server.stop(),
  };
}

/** A refusal of the client, with a code. */
function judge(status: number, text: string): Outcome {
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1];
  const isRefused = status >= 400 && status < 500 && code !== undefined;
  return { told: isRefused ? code : `${status} ${text}`, isFinding: !isRefused };
}
