import { Hono } from "hono";
import type { KeptObjects } from "../media/ports.js";
import type { ApiDeps, AppDeps, AppEnv } from "./app-env.js";

/** How long a check may take before it counts as failed: shorter than any orchestrator's patience. */
const CHECK_TIMEOUT_MS = 3000;

/** A key no upload can have: its absence proves that the store answers. */
const PROBE_KEY = "readiness-probe";

/** `/healthz`: the process runs. `/readyz`: it may be sent requests. */
export function healthRoutes(app: ApiDeps): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get("/healthz", (c) => c.json({ status: "ok", version: app.version }))
    .get("/readyz", async (c) => {
      const [database, storage] = await Promise.all([checkDatabase(app), checkStorage(app)]);
      const ready = database === "ok" && storage !== "unavailable" && !app.isDraining();
      const status = app.isDraining() ? "draining" : ready ? "ready" : "unavailable";
      return c.json({ status, checks: { database, storage } }, ready ? 200 : 503, { "Cache-Control": "no-store" });
    });
}

/** `/metrics`: Prometheus. */
export function metricsRoute({ renderMetrics }: Pick<AppDeps, "renderMetrics">): Hono<AppEnv> {
  return new Hono<AppEnv>().get("/metrics", async (c) => {
    const { contentType, body } = await renderMetrics();
    return c.body(body, 200, { "Content-Type": contentType, "Cache-Control": "no-store" });
  });
}

type Check = "ok" | "unavailable";

async function checkDatabase({ deps }: ApiDeps): Promise<Check> {
  try {
    await withTimeout(deps.database.ping());
    return "ok";
  } catch (error) {
    deps.log.warn({ err: error }, "readiness: the database does not answer");
    return "unavailable";
  }
}

/** `fallback`: the primary store does not answer, and uploads go to the other one meanwhile. */
async function checkStorage({ deps }: ApiDeps): Promise<Check | "fallback"> {
  const { primary, fallback } = deps.objects;
  if (await answers(deps, primary)) return "ok";
  return fallback && (await answers(deps, fallback)) ? "fallback" : "unavailable";
}

async function answers({ log }: ApiDeps["deps"], store: KeptObjects): Promise<boolean> {
  try {
    const presence = await withTimeout(store.head(PROBE_KEY));
    if (presence.state !== "unknown") return true;
    log.warn({ store: store.type, reason: presence.reason }, "readiness: the object store does not answer");
  } catch (error) {
    log.warn({ err: error, store: store.type }, "readiness: the object store does not answer");
  }
  return false;
}

async function withTimeout<T>(check: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  return Promise.race([check, late]).finally(() => clearTimeout(timer));
}
