import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** A folder of its own for sources that are built or compiled there. Paths are relative to it. */
export type TemporaryProject = {
  /** Free of symbolic links. */
  root: string;
  put(path: string, text: string): void;
  /** Files and folders of this repository, at the same place. */
  copy(...paths: string[]): void;
  /** All that is installed here. */
  install(): void;
  remove(): void;
};

export function makeTemporaryProject(): TemporaryProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "media-project-")));
  return {
    root,
    put(path, text) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    },
    copy(...paths) {
      for (const path of paths) cpSync(join(REPOSITORY, path), join(root, path), { recursive: true });
    },
    install: () => symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules")),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
