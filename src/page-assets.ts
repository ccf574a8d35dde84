import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import type { Asset, Assets } from "./router/app-env.js";

const ASSET_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** The built web page. It lies beside the built server; from source there is none until the build ran. */
export async function loadConsoleAssets(): Promise<Assets> {
  const folder = new URL(import.meta.url.endsWith(".ts") ? "../dist/console/" : "../console/", import.meta.url);
  const names = await readdir(folder).catch(() => []);
  const known = names.filter((name) => ASSET_TYPES[extname(name)]);
  return new Map(await Promise.all(known.map(async (name) => [name, await readAsset(new URL(name, folder))] as const)));
}

const require = createRequire(import.meta.url);

/** What the API page takes of its package. */
const API_PAGE_FILES = ["swagger-ui-bundle.js", "swagger-ui.css"];

/** The files of the API page, from the installed package; throws where it is not installed. */
export async function loadApiPageAssets(): Promise<Assets> {
  const entry = require.resolve("swagger-ui-dist");
  const read = async (name: string) => [name, await readAsset(join(entry, "..", name))] as const;
  return new Map(await Promise.all(API_PAGE_FILES.map(read)));
}

const readAsset = async (file: string | URL): Promise<Asset> => ({
  contentType: ASSET_TYPES[extname(String(file))] ?? "application/octet-stream",
  body: await readFile(file),
});
