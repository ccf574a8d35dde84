import type { ChildProcess } from "node:child_process";
import type { z } from "zod";
import { MediaError, type MediaFailure } from "../media/errors.js";
import type { Logger } from "../media/ports.js";
import { forkPixelProcess } from "./fork-pixel-process.js";
import { createMemoryWatch } from "./memory-watch.js";
import { cpuSecondsOf, whyOverdue } from "./overdue.js";
import { type PixelRequest, pixelReplySchema, READY } from "./pixel-messages.js";
import { createPixelQueue, type PixelJob, type Priority } from "./pixel-queue.js";

export type ProcessPoolOptions = {
  /** Most processes at once; each is started when it is first needed, and anew after it died. */
  processes: number;
  /** Most requests that wait for a process, by who waits. */
  queueLimits: Readonly<Record<Priority, number>>;
  /** See `pixel-queue.ts`, which decides who is next. */
  pixelBudget: number;
  /** Most memory a process may hold while it is at a picture; without it there is no limit. Bytes. */
  maxProcessBytes?: number | undefined;
  log?: Logger | undefined;
};

export type ProcessPool = {
  /**
   * Answers what the process answers, as `answer` reads it. Rejects with the MediaError it answers; with CORRUPT_FILE
   * where the picture crashed its decoder, filled more memory than a process may hold, or kept it busy for longer than
   * `terms.timeoutMs` (the wait for a free process and its start not counted); with PROCESSING_FAILED where it was ended
   * from outside or its answer has another shape; with OVERLOADED where too many wait, where the pool is closed, and
   * where the time was over and its process had had little of it.
   */
  run<T>(request: PixelRequest, answer: z.ZodType<T>, terms: Terms): Promise<T>;
  /** Refuses what waits, lets what runs come to its end, ends every process. */
  close(): Promise<void>;
};

/** What a request may take: time once it has begun, pixels, and its place among those that wait. */
export type Terms = PixelJob & { timeoutMs: number };

type Task = Terms & {
  request: PixelRequest;
  /** False where the value has another shape than promised. */
  accept(value: unknown): boolean;
  reject(failure: MediaFailure): void;
};

type Worker = {
  child: ChildProcess;
  /** False until it said that it waits for work: loading its code is not the picture's time. */
  isReady: boolean;
  task: Task | null;
  timer: NodeJS.Timeout | undefined;
  /** Ends the look at its memory. */
  unwatch?: (() => void) | undefined;
  /** Why this process is being killed, as its task is told; null while it is not. */
  doom: MediaFailure | null;
};

/** Far longer than a process takes to load, also on a busy machine. */
const START_TIMEOUT_MS = 60_000;

const OVERLOADED = { code: "OVERLOADED", retryAfterSeconds: 5 } as const satisfies MediaFailure;
const corrupt = (reason: string): MediaFailure => ({ code: "CORRUPT_FILE", reason });
const failed = (reason: string): MediaFailure => ({ code: "PROCESSING_FAILED", reason });

const TOO_MUCH_MEMORY = corrupt("decoding it takes more memory than a picture may have");

/** What a codec brings on itself (signal(7)); SIGABRT is also how it ends when it asks for more memory than there is. */
const CODEC_FAULTS: readonly unknown[] = ["SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"];

/** The fault is the picture's where its codec ran into it, and this machine's where something else ended the process. */
const deathOf = (signal: unknown): MediaFailure =>
  CODEC_FAULTS.includes(signal) ? corrupt("its decoder cannot cope with it") : failed("its decoder crashed");

/** Runs `pixel-process` in a pool of long-lived child processes, one request at a time in each. */
export function createProcessPool(options: ProcessPoolOptions): ProcessPool {
  const { processes, queueLimits, pixelBudget, maxProcessBytes, log } = options;
  const memory = maxProcessBytes === undefined ? null : createMemoryWatch(maxProcessBytes);
  const workers = new Set<Worker>();
  const queue = createPixelQueue<Task>({ budget: pixelBudget, limits: queueLimits });
  let closed = false;
  let lastIsGone = (): void => undefined;

  function enqueue(task: Task): void {
    if (closed || !queue.add(task, hasFreeWorker())) task.reject(OVERLOADED);
    else assignNext();
  }

  const idleWorker = () => [...workers].find((worker) => !worker.task && !worker.doom);
  const hasFreeWorker = (): boolean => idleWorker() !== undefined || workers.size < processes;

  /** Gives work to whoever is free, as far as the queue lets it begin. */
  function assignNext(): void {
    while (hasFreeWorker()) {
      const task = queue.take();
      if (!task) return;
      assign(idleWorker() ?? start(), task);
    }
  }

  function start(): Worker {
    const child = forkPixelProcess();
    const worker: Worker = { child, isReady: false, task: null, timer: undefined, doom: null };
    workers.add(worker);
    log?.info({ pid: child.pid }, "pixel process started");
    child.on("message", (message) => receive(worker, message));
    child.on("exit", (code, signal) => bury(worker, { code, signal }));
    child.on("error", (error) => {
      // A process that never started has no exit to wait for.
      if (child.pid === undefined) bury(worker, { error });
      else kill(worker, failed("its decoder could not be reached"));
    });
    return worker;
  }

  function assign(worker: Worker, task: Task): void {
    worker.task = task;
    if (worker.isReady) begin(worker, task);
    else worker.timer = setTimeout(() => kill(worker, failed("its decoder did not start")), START_TIMEOUT_MS);
  }

  function begin(worker: Worker, task: Task): void {
    clearTimeout(worker.timer);
    const before = cpuSecondsOf(worker.child.pid as number);
    worker.timer = setTimeout(() => void endOverdue(worker, task, before), task.timeoutMs);
    worker.unwatch = memory?.watch(worker.child.pid as number, () => kill(worker, TOO_MUCH_MEMORY));
    // Where it is not connected its end is already on the way, and ends the task.
    if (worker.child.connected) worker.child.send(task.request);
  }

  async function endOverdue(worker: Worker, task: Task, before: Promise<number | null>): Promise<void> {
    const [begun, now] = [await before, await cpuSecondsOf(worker.child.pid as number)];
    if (worker.task !== task) return;
    const spent = begun === null || now === null ? null : now - begun;
    kill(worker, whyOverdue(task.timeoutMs, spent));
  }

  function receive(worker: Worker, message: unknown): void {
    const { task, doom } = worker;
    if (!task || doom) return;
    if (!worker.isReady) {
      worker.isReady = message === READY;
      if (worker.isReady) begin(worker, task);
    } else if (settle(task, message, log)) release(worker);
    else kill(worker, failed("its decoder gave a senseless answer"));
  }

  function release(worker: Worker): void {
    clearTimeout(worker.timer);
    worker.unwatch?.();
    if (worker.task) queue.finish(worker.task);
    worker.task = null;
    if (closed) kill(worker, failed("the pool is closed"));
    else assignNext();
  }

  function bury(worker: Worker, circumstances: Record<string, unknown>): void {
    clearTimeout(worker.timer);
    worker.unwatch?.();
    workers.delete(worker);
    if (worker.task) {
      const failure = worker.doom ?? deathOf(circumstances.signal);
      log?.error({ pid: worker.child.pid, failure, ...circumstances }, "pixel process died at work");
      worker.task.reject(failure);
      queue.finish(worker.task);
    }
    if (workers.size === 0) lastIsGone();
    if (!closed) assignNext();
  }

  async function close(): Promise<void> {
    closed = true;
    for (const task of queue.drain()) task.reject(OVERLOADED);
    if (workers.size === 0) return;
    const allGone = new Promise<void>((resolve) => {
      lastIsGone = resolve;
    });
    for (const worker of workers) if (!worker.task) kill(worker, failed("the pool is closed"));
    await allGone;
  }

  return {
    run: (request, answer, terms) =>
      new Promise((resolve, reject) => {
        const accept = (value: unknown): boolean => {
          const { success, data } = answer.safeParse(value);
          if (success) resolve(data);
          return success;
        };
        enqueue({ ...terms, request, accept, reject: (failure) => reject(new MediaError(failure)) });
      }),
    close,
  };
}

/** False, and the task still open, where the message is no answer to it. */
function settle(task: Task, message: unknown, log: Logger | undefined): boolean {
  const { data: reply } = pixelReplySchema.safeParse(message);
  if (!reply) return false;
  if (reply.ok) return task.accept(reply.value);
  if (reply.failure.code === "PROCESSING_FAILED") log?.error({ detail: reply.detail }, "picture failed");
  task.reject(reply.failure);
  return true;
}

function kill(worker: Worker, failure: MediaFailure): void {
  worker.doom ??= failure;
  worker.child.kill("SIGKILL");
}
