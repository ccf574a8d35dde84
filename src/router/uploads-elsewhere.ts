import { Hono } from "hono";
import { ATTACHMENTS } from "../media/attachments.js";
import { MediaError } from "../media/errors.js";
import type { AppEnv } from "./app-env.js";

/** Addresses that take files: the general one, the batch, and one a row of the attachment table. */
const PATHS = ["/upload", "/batch/upload", ...ATTACHMENTS.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ":$1"))];

/**
 * Where no pixels are worked on: every upload is told, before a byte of it is read or its caller looked at, which
 * address to send the same form to. `serverUrl` is the base of a server that takes them, null where none is known.
 */
export function uploadsElsewhere(serverUrl: string | null): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const path of PATHS)
    routes.post(`/v1/media${path}`, (c) => {
      const { pathname, search } = new URL(c.req.url);
      throw new MediaError({ code: "UPLOAD_ELSEWHERE", uploadUrl: serverUrl && `${serverUrl}${pathname}${search}` });
    });
  return routes;
}
