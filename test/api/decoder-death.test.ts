import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config.js";
import type { Logger } from "../../src/media/ports.js";
import { createSharpPipeline } from "../../src/pipeline/sharp-pipeline.js";
import { type RunningServer, startServer } from "../../src/start-server.js";
import { flatJpegOfScans } from "../support/hostile-pictures.js";
import { quarters } from "../support/pictures.js";
import { createApi, SERVICE_TOKEN } from "../support/server.js";
import { openStage, type Stage } from "../support/stage.js";

/** Of a picture that one of these processes is held still over. */
const DEADLINE_MS = 6_000;
/** Ticks of CPU (10 ms each) that only decoding takes: reading a header is over before. */
const DECODING_TICKS = 20;

describe.skipIf(process.platform !== "linux")(
  "a decoder that dies, and one that stands still, over an upload each",
  () => {
    let stage: Stage;
    let server: RunningServer;
    let api: ReturnType<typeof createApi>;
    let token: string;
    const pids: number[] = [];
    const log: Logger = {
      info: (fields) => pids.push(Number(fields.pid)),
      warn: () => undefined,
      error: () => undefined,
    };
    const pipeline = {
      queueLimits: { upload: 100, demand: 100 },
      pixelBudget: 200_000_000,
      inspectTimeoutMs: 30_000,
      renderTimeoutMs: DEADLINE_MS,
      maxPixels: 200_000_000,
    };

    beforeAll(async () => {
      stage = await openStage();
      server = await startServer(loadConfig({ ...stage.env, SERVICE_TOKEN }), {
        decorate: (deps) => ({ ...deps, images: createSharpPipeline({ ...pipeline, processes: 3, log }) }),
      });
      api = createApi(server.baseUrl);
      token = await api.user("USR-1");
      await api.entity("builder", "BLD-1", { ownerId: "USR-1" });
    });
    afterAll(async () => {
      await server.stop();
      await stage.remove();
    });

    const upload = async (bytes: Uint8Array) => {
      const answer = await api.post("/v1/media/builders/BLD-1/portfolio", token, [["file", [bytes, "a.jpg"]]]);
      return { status: answer.status, body: answer.body as unknown };
    };

    /** CPU time a process has had, in ticks. proc(5): the 14th and 15th value, the name before them in parentheses. */
    async function ticksOf(pid: number): Promise<number> {
      const values = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
      return Number(values[11]) + Number(values[12]);
    }

    /** Two of the processes once each is in the middle of a picture. */
    async function twoAtWork(): Promise<[number, number]> {
      const before = new Map(await Promise.all(pids.map(async (pid) => [pid, await ticksOf(pid)] as const)));
      for (;;) {
        const spent = await Promise.all(pids.map(async (pid) => (await ticksOf(pid)) - (before.get(pid) ?? 0)));
        const [first, second] = pids.filter((_, at) => (spent[at] ?? 0) >= DECODING_TICKS);
        if (first && second) return [first, second];
        await pause(10);
      }
    }

    it("costs these two their uploads, and nothing else", async () => {
      const picture = await quarters(320, 240).jpeg().toBuffer();
      const warmUps = await Promise.all([upload(picture), upload(picture), upload(picture)]);
      expect([...warmUps.map(({ status }) => status), pids.length]).toEqual([201, 201, 201, 3]);

      const slow = flatJpegOfScans(9_992, 90);
      const doomed = [upload(slow), upload(slow)];
      const [dying, standing] = await twoAtWork();
      process.kill(dying, "SIGKILL");
      process.kill(standing, "SIGSTOP");
      const beside = await upload(picture);
      expect(beside.status, JSON.stringify(beside.body)).toBe(201);
      expect((await fetch(`${server.baseUrl}/healthz`)).status).toBe(200);

      const answers = (await Promise.all(doomed)).sort((a, b) => b.status - a.status);
      expect(answers).toMatchObject([
        { status: 503, body: { code: "OVERLOADED" } },
        { status: 500, body: { code: "PROCESSING_FAILED" } },
      ]);
      expect((await upload(picture)).status).toBe(201);
      const { stored, spooled } = await stage.files();
      const [intents] = await stage.tables.execute("SELECT COUNT(*) AS n FROM upload_intents");
      const rows = await stage.tables.execute("SELECT id FROM media");
      expect({ rows: rows.length, intents: Number(intents?.n), spooled }).toEqual({ rows: 5, intents: 0, spooled: [] });
      // An original, a thumbnail and, being no larger, nothing else.
      expect(stored).toHaveLength(rows.length * 2);
    });
  },
);
