import { expect } from "vitest";
import { createMediaClient, toMediaClientError } from "../../client/index.js";
import { loadConfig } from "../../src/config.js";
import { openInProcess } from "../../src/in-process.js";
import { describeFailure, MediaError, type MediaFailure } from "../../src/media/errors.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { appRouter } from "../../src/procedures/index.js";
import { REST_OPERATIONS, type RestOperation } from "../../src/router/rest-operations.js";
import type { ProcedureName, SharedServer, Transport, TransportRow } from "../contracts/api/transport.js";
import type { Combination } from "./combination.js";
import { startTestServer } from "./server.js";

/** Every way to call a procedure; another is one more row. */
export const TRANSPORTS: readonly TransportRow[] = [
  { name: "the client package", open: openClient, lacks: [], hasSessions: true },
  {
    name: "plain HTTP",
    open: openRest,
    lacks: ["media.setPrimary", "moderation.approve", "moderation.flag", "moderation.reject", "uploads.onProgress"],
    hasSessions: true,
  },
  { name: "in process", open: openTool, lacks: [], hasSessions: false },
];

/** A server that answers as often as it is asked. */
export async function startSharedServer(combination?: Combination): Promise<SharedServer> {
  const server = await startTestServer({ RATE_LIMIT: "off" }, combination);
  return { server, env: server.settings };
}

/** What both proxies look like to someone who knows a procedure by its name alone. */
type ByName<T> = Record<string, Record<string, T>>;
type Send = (input: unknown) => Promise<unknown>;

function pick<T>(proxy: ByName<T>, procedure: ProcedureName): T {
  const [group = "", name = ""] = procedure.split(".");
  const member = proxy[group]?.[name];
  if (!member) throw new Error(`there is no ${procedure}`);
  return member;
}

type Kind = "query" | "mutation" | "subscription";
const KINDS = appRouter._def.procedures as unknown as Record<string, { _def: { type: Kind } }>;

type Subscribe = (
  input: unknown,
  hear: { onData(event: { data: unknown }): void; onError(error: unknown): void },
) => { unsubscribe(): void };
type ClientProcedure = { query: Send; mutate: Send; subscribe: Subscribe };

/** What a subscription says first. */
const firstEvent = (subscribe: Subscribe, input: unknown): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const subscription = subscribe(input, {
      onData: ({ data }) => {
        resolve(data);
        subscription.unsubscribe();
      },
      onError: reject,
    });
  });

const ASK: Record<Kind, (procedure: ClientProcedure, input: unknown) => Promise<unknown>> = {
  query: ({ query }, input) => query(input),
  mutation: ({ mutate }, input) => mutate(input),
  subscription: ({ subscribe }, input) => firstEvent(subscribe, input),
};

function openClient({ server }: SharedServer): Promise<Transport> {
  return Promise.resolve({
    as({ token }) {
      const { api } = createMediaClient({ baseUrl: server.baseUrl, token });
      return {
        async call(procedure, input) {
          try {
            const kind = KINDS[procedure]?._def.type ?? "query";
            return await ASK[kind](pick(api as unknown as ByName<ClientProcedure>, procedure), input);
          } catch (error) {
            const { path: _, retryAfterSeconds, ...problem } = { path: null, ...toMediaClientError(error).problem };
            throw toRefusal(retryAfterSeconds === null ? problem : { ...problem, retryAfterSeconds });
          }
        },
      };
    },
    close: () => Promise.resolve(),
  });
}

/** Status, sentence and request id follow from the failure or stand beside it: a transport must not make its own. */
function toRefusal({ status, detail, requestId, ...facts }: Record<string, unknown>): MediaError {
  const failure = facts as MediaFailure;
  expect({ status, detail, requestId }).toEqual({
    status: ERROR_MAP[failure.code].status,
    detail: describeFailure(failure),
    requestId: expect.stringMatching(/./),
  });
  return new MediaError(failure);
}

/** Queries with several addresses are asked at each; they answer alike. */
function openRest({ server }: SharedServer): Promise<Transport> {
  return Promise.resolve({
    as: ({ token }) => ({
      async call(procedure, input) {
        const [first, ...others] = REST_OPERATIONS.filter((operation) => operation.procedure === procedure);
        if (!first) throw new Error(`${procedure} has no address`);
        const send = async (operation: RestOperation) => {
          const { method, path, body } = toRequest(operation, { ...(input as Record<string, unknown> | undefined) });
          const answer = await server.call(method, path, { token, body });
          return { status: answer.status, body: answer.body };
        };
        const answer = await send(first);
        if (answer.status !== 200) {
          const { type, title, ...problem } = answer.body;
          expect([type, title]).toEqual([expect.stringContaining(String(problem.code)), expect.any(String)]);
          throw toRefusal(problem);
        }
        if (first.type === "query")
          for (const other of others) expect(await send(other), other.route.path).toEqual(answer);
        return answer.body;
      },
    }),
    close: () => Promise.resolve(),
  });
}

function toRequest({ route: { method, path } }: RestOperation, input: Record<string, unknown>) {
  const rest = { ...input };
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  if (method !== "GET" && method !== "DELETE") return { method, path: address, body: rest };
  const query = new URLSearchParams(Object.entries(rest).map(([name, value]) => [name, String(value)]));
  return { method, path: query.size > 0 ? `${address}?${query}` : address, body: undefined };
}

/** As a procedure yields it: its id, what it carries. */
type TrackedEvent = readonly [id: string, data: unknown, mark: symbol];

async function firstOf(events: AsyncIterable<TrackedEvent>): Promise<unknown> {
  for await (const [, data] of events) return data;
  throw new Error("the stream ended without a word");
}

async function openTool({ env }: SharedServer): Promise<Transport> {
  const tool = await openInProcess(loadConfig(env));
  return {
    as: ({ actor }) => ({
      async call(procedure, input) {
        const answer = await pick(tool.as(actor) as unknown as ByName<Send>, procedure)(input);
        return KINDS[procedure]?._def.type === "subscription" ? firstOf(answer as AsyncIterable<TrackedEvent>) : answer;
      },
    }),
    close: () => tool.close(),
  };
}
