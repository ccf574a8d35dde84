import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** A page's React code as a frontend builds it, out of an empty folder: what it exports, its client among its parts. */
export async function importPage<Exports>(folder: string, text: string): Promise<Exports> {
  const { outputFiles } = await build({
    stdin: { contents: text, loader: "tsx", resolveDir: REPOSITORY },
    alias: {
      "@artitec/media-client/react": join(REPOSITORY, "client/react.ts"),
      "@artitec/media-client": join(REPOSITORY, "client/index.ts"),
    },
    external: ["react", "react/jsx-runtime", "@tanstack/*"],
    jsx: "automatic",
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
  });
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "page.mjs"), outputFiles[0]!.text);
  return (await import(pathToFileURL(join(folder, "page.mjs")).href)) as Exports;
}
