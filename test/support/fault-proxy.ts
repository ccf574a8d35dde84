import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "./seeded-random.js";

/** What can happen to a request on its way to a server and back. */
export const FAULTS = [
  "latency",
  /** The connection breaks; the server never heard of the request. */
  "reset before",
  /** The connection breaks; the server did all that was asked. */
  "reset after",
  "internal error",
  "slow down",
  /** Head and half of the body, then the connection breaks; at once where there is no body. */
  "half an answer",
  /** One bit of the body differs from what was sent. */
  "corrupt request",
  "corrupt answer",
] as const;
export type Fault = (typeof FAULTS)[number];

export type FaultPlan = {
  fault: Fault;
  /** All, where absent. */
  methods?: readonly string[];
  /** Share of the requests it strikes, from 0 to 1; all of them where absent. */
  share?: number;
  /** How many requests it strikes before it is over; without end where absent. */
  next?: number;
  /** Of `latency`. */
  milliseconds?: number;
};

/** A way to an HTTP server on this machine on which things go wrong as planned. */
export type FaultProxy = {
  /** Where clients go instead; the same as long as it lives. The `Host` they send reaches the server as it is. */
  readonly endpoint: string;
  /** Requests that each fault struck since the start. */
  readonly struck: Readonly<Record<Fault, number>>;
  /** In place of what was planned before. The first plan that strikes a request is all that happens to it. */
  plan(...plans: FaultPlan[]): void;
  /** Breaks every connection and takes no new one. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
};

type Exchange = { asked: IncomingMessage; answer: ServerResponse; target: URL };

/** Forwards everything to `target`, undisturbed at first. The same seed strikes the same shares of the same requests. */
export async function startFaultProxy(target: string, { seed = 1 } = {}): Promise<FaultProxy> {
  const struck = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const random = createRandom(seed);
  let plans: FaultPlan[] = [];
  const choose = (method = "GET"): FaultPlan | undefined => {
    const plan = plans.find(({ methods, next = 1, share = 1 }) => {
      return next > 0 && (methods?.includes(method) ?? true) && random() < share;
    });
    if (plan?.next !== undefined) plan.next -= 1;
    if (plan) struck[plan.fault] += 1;
    return plan;
  };
  const server = createServer((asked, answer) => {
    const exchange = { asked, answer, target: new URL(target) };
    // Whatever breaks on one side breaks the other.
    serve(exchange, choose(asked.method)).catch(() => asked.socket.resetAndDestroy());
  });
  const listen = async (port: number) => {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const refuse = async () => {
    if (!server.listening) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const port = await listen(0);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    struck,
    plan: (...given) => {
      plans = given.map((plan) => ({ ...plan }));
    },
    refuse,
    accept: async () => void (await listen(port)),
    close: refuse,
  };
}

async function serve(exchange: Exchange, plan: FaultPlan | undefined): Promise<void> {
  const { asked, answer } = exchange;
  const fault = plan?.fault;
  if (fault === "reset before") return void asked.socket.resetAndDestroy();
  if (fault === "internal error" || fault === "slow down") return refuseAs(fault, exchange);
  if (fault === "latency") await sleep(plan?.milliseconds ?? 0);
  const answered = await forward(exchange, fault === "corrupt request" ? flipBit(asked, sizeOf(asked)) : asked);
  if (fault === "reset after") {
    await once(answered.resume(), "end");
    return void asked.socket.resetAndDestroy();
  }
  if (fault === "half an answer") return answerHalf(exchange, answered);
  writeHead(answer, answered);
  await pipeline(fault === "corrupt answer" ? flipBit(answered, sizeOf(answered)) : answered, answer);
}

const writeHead = (answer: ServerResponse, { statusCode = 502, statusMessage, rawHeaders }: IncomingMessage) =>
  answer.writeHead(statusCode, statusMessage, rawHeaders);

const sizeOf = ({ headers }: IncomingMessage): number => Number(headers["content-length"] ?? 0);

/** As the client wrote it, header by header: a signature covers some of them. */
async function forward({ asked, target }: Exchange, body: Readable): Promise<IncomingMessage> {
  const { method, url: path, rawHeaders: headers } = asked;
  const forwarded = request({ host: target.hostname, port: target.port, method, path, headers, setHost: false });
  const answering = once(forwarded, "response") as Promise<[IncomingMessage]>;
  asked.once("close", () => {
    if (!asked.complete) forwarded.destroy();
  });
  body.once("error", (error) => forwarded.destroy(error)).pipe(forwarded);
  const [answered] = await answering;
  return answered;
}

const REFUSALS = {
  "internal error": { status: 500, code: "InternalError", message: "We encountered an internal error." },
  "slow down": { status: 503, code: "SlowDown", message: "Please reduce your request rate." },
} as const;

/** As S3 says no. */
async function refuseAs(refusal: keyof typeof REFUSALS, { asked, answer }: Exchange): Promise<void> {
  await asked.resume().toArray();
  const { status, code, message } = REFUSALS[refusal];
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  answer.writeHead(status, { "content-type": "application/xml", "content-length": body.length });
  answer.end(asked.method === "HEAD" ? undefined : body);
}

async function answerHalf({ asked, answer }: Exchange, answered: IncomingMessage): Promise<void> {
  const body = Buffer.concat(await answered.toArray());
  const half = body.subarray(0, body.length >> 1);
  if (half.length > 0) await new Promise((sent) => writeHead(answer, answered).write(half, sent));
  asked.socket.resetAndDestroy();
}

/** The same bytes but for one bit in the middle of a body of this size; of its first byte where that is unknown. */
function flipBit(body: Readable, size: number): Readable {
  const at = size >> 1;
  return Readable.from(
    (async function* () {
      let passed = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (passed <= at && at < passed + chunk.length) chunk.writeUInt8(chunk.readUInt8(at - passed) ^ 1, at - passed);
        passed += chunk.length;
        yield chunk;
      }
    })(),
  );
}
