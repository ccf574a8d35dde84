import { Hono } from "hono";
import { admitPut, storePut } from "../media/direct-receive.js";
import { validationFailed } from "../media/errors.js";
import type { AppContext, AppDeps, AppEnv } from "./app-env.js";
import { onlyValue } from "./query.js";
import { receiveFile } from "./receive-file.js";
import { readChunks } from "./request-body.js";

/**
 * Where clients put the bytes of a direct upload while the store is a folder of this server. The address's signature is
 * the right to: it asks for no session, and counts for no rate limit.
 */
export function directPutRoute({ deps, bodyIdleMs }: AppDeps): Hono<AppEnv> {
  return new Hono<AppEnv>().put("/v1/media/direct/:uploadId", async (c) => {
    const signature = { expires: onlyValue(c, "expires"), signature: onlyValue(c, "signature") };
    const ticket = await admitPut(deps, c.req.param("uploadId"), signature);
    refuseOtherLength(c, ticket.fileSize);
    const part = { name: "file", filename: ticket.filename, chunks: readChunks(c.req.raw, bodyIdleMs) };
    const received = await receiveFile(deps.spool, part, () => ({ maxBytes: ticket.fileSize }));
    try {
      await storePut(deps, ticket, received.file);
    } finally {
      await received.discard();
    }
    return c.body(null, 204);
  });
}

/** A body that lies about its length, or does not tell it, is cut while it is read. */
function refuseOtherLength(c: AppContext, fileSize: number): void {
  const announced = c.req.header("content-length");
  if (announced === undefined || Number(announced) === fileSize) return;
  throw validationFailed("Content-Length", `must be the ${fileSize} bytes that were declared`);
}
