import { setTimeout as sleep } from "node:timers/promises";
import type { MediaOut } from "../../src/media/model.js";
import { toForm } from "../support/server.js";
import type { Report } from "./report.js";

/** What came of a request after all its tries: an answer, or null where none of them was told. */
export type Outcome<T> = { status: number; body: T; tries: number } | null;

/** A client that tries again, as the one in a careful app on a bad network does. */
export type Phone = {
  /** `key` is the `Idempotency-Key`, the same with every try. */
  upload(path: string, token: string, file: NamedBytes, key: string): Promise<Outcome<{ media: MediaOut }>>;
  call<T>(method: string, path: string, token: string, body?: unknown): Promise<Outcome<T>>;
  /** The bytes behind an address. */
  fetch(url: string): Promise<Outcome<Buffer>>;
};

export type NamedBytes = { bytes: Uint8Array; name: string };

const TRIES = 25;
const FIRST_PAUSE_MS = 100;
/** Shorter than servers ask for: a run of some minutes stands for a day of bad luck. */
const LONGEST_PAUSE_MS = 1_500;

/** Longer than the server itself waits for anything it says no to. */
const PATIENCE_MS = 60_000;

/** A key is taken until its first request has ended: that is no refusal either. */
const isTemporary = (status: number, body: unknown): boolean =>
  status >= 500 || status === 429 || (body as { code?: string } | null)?.code === "CONFLICT";

export function createPhone(baseUrl: string, report: Report): Phone {
  async function persist<T>(what: string, ask: () => Promise<{ status: number; body: T }>): Promise<Outcome<T>> {
    for (let tries = 1; tries <= TRIES; tries++) {
      const answer = await ask().catch((error: unknown) => {
        if ((error as Error).name === "TimeoutError")
          report.violation(`${what} was not answered within ${PATIENCE_MS} ms`);
        else if (!(error instanceof TypeError)) throw error;
      });
      if (answer && !isTemporary(answer.status, answer.body)) return { ...answer, tries };
      report.count(answer ? `${what}: answered ${answer.status}` : `${what}: connection broke`);
      if (answer && answer.status !== 503 && answer.status !== 409)
        report.violation(`${what} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      await sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries));
    }
    report.count(`${what}: given up`);
    return null;
  }

  return {
    upload: (path, token, { bytes, name }, key) =>
      persist("upload", () => {
        const headers = { authorization: `Bearer ${token}`, "idempotency-key": key };
        return readJson(`${baseUrl}${path}`, { method: "POST", headers, body: toForm([["file", [bytes, name]]]) });
      }),
    call: (method, path, token, body) =>
      persist(method, () => {
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        const json = body === undefined ? null : JSON.stringify(body);
        return readJson(`${baseUrl}${path}`, { method, headers, body: json });
      }),
    fetch: (url) =>
      persist("file", async () => {
        const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
        return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) };
      }),
  };
}

async function readJson<T>(url: string, init: RequestInit): Promise<{ status: number; body: T }> {
  const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
  const text = await answer.text();
  return { status: answer.status, body: (text === "" ? null : JSON.parse(text)) as T };
}
