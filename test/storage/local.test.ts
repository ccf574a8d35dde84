import { existsSync } from "node:fs";
import {
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ObjectExistsError, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { createLocalStorage } from "../../src/storage/local.js";
import { objectStorageContract } from "../contracts/object-storage.js";
import { breakingSource, readAll, sha256Of, someBytes, sourceOf } from "../support/byte-source.js";
import { outputOf, startScript } from "../support/child-script.js";
import { filesBelow, makeTemporaryFolder, openFilesBelow } from "../support/temporary-folder.js";

objectStorageContract("local disk", async () => {
  const { path, remove } = await makeTemporaryFolder();
  return { storage: createLocalStorage({ folder: path }), close: remove };
});

const OPTIONS = { contentType: "image/png", isPublic: true };
const LONG_AGO = new Date("2020-01-01T00:00:00Z");

describe("the local store", () => {
  let base: string;
  let folder: string;
  let storage: ObjectStorage;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path: base, remove } = await makeTemporaryFolder());
    folder = join(base, "objects");
    storage = createLocalStorage({ folder });
  });
  afterEach(() => remove());

  const put = (key: string, content: Uint8Array | string = "bytes") => storage.put(key, sourceOf(content), OPTIONS);
  const keys = async () => {
    const found: string[] = [];
    for await (const object of storage.list()) found.push(object.key);
    return found;
  };

  describe("files", () => {
    it("are the owner's alone, as their folders", async () => {
      const mode = async (path: string) => ((await stat(join(folder, path))).mode & 0o777).toString(8);
      const umask = process.umask(0);
      try {
        await put("users/photos/a.png");
      } finally {
        process.umask(umask);
      }
      expect(await mode("users/photos/a.png")).toBe("600");
      for (const path of ["users/photos", "users", ".tmp"]) expect(await mode(path)).toBe("700");
    });

    it("stand under their key, and no temporary file stays", async () => {
      await put("users/photos/a.png");
      await expect(put("users/photos/a.png")).rejects.toBeInstanceOf(ObjectExistsError);
      await expect(storage.put("b.png", sourceOf("bytes", { size: 4 }), OPTIONS)).rejects.toThrow("announced 4 bytes");
      await expect(storage.put("c.png", sourceOf("bytes", { size: 6 }), OPTIONS)).rejects.toThrow("announced 6");
      await expect(storage.put("d.png", sourceOf("bytes", { sha256: "0" }), OPTIONS)).rejects.toThrow("digest");
      expect(await filesBelow(folder)).toEqual(["users/photos/a.png"]);
    });

    describe("of a source that is a file", () => {
      const pathOf = (name: string) => join(base, name);
      async function fileSource(content: string, path: string) {
        await writeFile(path, content, { mode: 0o644 });
        return { ...sourceOf(content), path };
      }
      const statOf = async (key: string) => stat(join(folder, key));

      it("are that file, on the same disk, and stay when its first name goes", async () => {
        const source = await fileSource("bytes", pathOf("spooled"));
        await storage.put("users/photos/a.png", source, OPTIONS);
        const { ino, mode } = await statOf("users/photos/a.png");
        expect([ino, (mode & 0o777).toString(8)]).toEqual([(await stat(source.path)).ino, "600"]);
        await rm(source.path);
        expect(await readFile(join(folder, "users/photos/a.png"), "utf8")).toBe("bytes");
        expect(await readdir(join(folder, ".tmp"))).toEqual([]);
      });

      it.skipIf(!existsSync("/dev/shm"))("are copies where the file lies on another disk", async () => {
        const source = await fileSource("bytes", `/dev/shm/${basename(base)}`);
        await storage.put("a.png", source, OPTIONS);
        await rm(source.path);
        expect(await readFile(join(folder, "a.png"), "utf8")).toBe("bytes");
        expect((await statOf("a.png")).nlink).toBe(1);
      });

      it("are read from the source where the file is gone", async () => {
        await storage.put("a.png", { ...sourceOf("bytes"), path: pathOf("gone") }, OPTIONS);
        expect(await readFile(join(folder, "a.png"), "utf8")).toBe("bytes");
      });

      it("are not there where the file has another size, or is a symbolic link", async () => {
        const source = await fileSource("more bytes", pathOf("spooled"));
        const wrong = storage.put("a.png", { ...source, size: 5 }, OPTIONS);
        await expect(wrong).rejects.toThrow("10 bytes, not the announced 5");
        await symlink(source.path, pathOf("link"));
        await expect(storage.put("b.png", { ...source, path: pathOf("link") }, OPTIONS)).rejects.toThrow("ELOOP");
        expect(await filesBelow(folder)).toEqual([]);
      });

      it("are written once", async () => {
        const source = await fileSource("bytes", pathOf("spooled"));
        await storage.put("a.png", source, OPTIONS);
        await expect(storage.put("a.png", source, OPTIONS)).rejects.toBeInstanceOf(ObjectExistsError);
      });
    });

    it("vanish with a source that breaks off, whose own error is passed on", async () => {
      const hangUp = new Error("the sender hung up");
      await expect(storage.put("a/b.png", breakingSource(someBytes(500_000), hangUp), OPTIONS)).rejects.toBe(hangUp);
      expect(await filesBelow(folder)).toEqual([]);
      expect(await readdir(folder)).toEqual([".tmp"]);
    });

    it("survive another store over the same folder", async () => {
      await put("a.png");
      const second = createLocalStorage({ folder });
      expect(await second.head("a.png")).toMatchObject({ state: "exists" });
      await expect(second.put("a.png", sourceOf("others"), OPTIONS)).rejects.toBeInstanceOf(ObjectExistsError);
    });

    it("cannot stand where a folder is needed", async () => {
      await put("users/a");
      const refused: unknown = await put("users/a/b.png").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Error);
      expect(refused).not.toBeInstanceOf(StorageUnavailableError);
      expect(await filesBelow(folder)).toEqual(["users/a"]);
    });
  });

  describe("symbolic links", () => {
    let outside: string;

    beforeEach(async () => {
      outside = join(base, "outside");
      await mkdir(join(outside, "empty"), { recursive: true });
      await writeFile(join(outside, "secret.png"), "secret");
      await put("users/a.png");
      await symlink(outside, join(folder, "link"));
      await symlink(join(outside, "secret.png"), join(folder, "users/secret.png"));
    });

    it.each(["link/secret.png", "link/new.png", "link/empty/new.png"])("lead %s nowhere", async (key) => {
      await expect(put(key)).rejects.toBeInstanceOf(TypeError);
      await expect(storage.get(key)).rejects.toBeInstanceOf(TypeError);
      await expect(storage.head(key)).rejects.toBeInstanceOf(TypeError);
      await expect(storage.delete(key)).rejects.toBeInstanceOf(TypeError);
      expect(await filesBelow(outside)).toEqual(["secret.png"]);
      expect(await readdir(outside)).toEqual(["empty", "secret.png"]);
    });

    it("get no folder made and none removed behind them", async () => {
      await expect(put("link/made/here.png")).rejects.toBeInstanceOf(TypeError);
      await storage.delete("link/empty/missing/a.png");
      expect(await readdir(outside)).toEqual(["empty", "secret.png"]);
    });

    it("are no objects", async () => {
      expect(await storage.get("users/secret.png")).toBeNull();
      expect(await storage.head("users/secret.png")).toEqual({ state: "missing" });
      await expect(put("users/secret.png")).rejects.toBeInstanceOf(ObjectExistsError);
      await storage.delete("users/secret.png");
      expect(await readFile(join(outside, "secret.png"), "utf8")).toBe("secret");
      expect(await keys()).toEqual(["users/a.png"]);
    });

    it("may lead to the store's folder itself", async () => {
      await symlink(folder, join(base, "alias"));
      const aliased = createLocalStorage({ folder: join(base, "alias") });
      expect(await aliased.head("users/a.png")).toMatchObject({ state: "exists" });
    });
  });

  describe("an outage", () => {
    const expectOutage = async () => {
      const presence = await storage.head("users/a.png");
      expect(presence).toMatchObject({ state: "unknown" });
      expect(JSON.stringify(presence)).not.toContain(base);
      await expect(storage.get("users/a.png")).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(put("users/b.png")).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(storage.delete("users/a.png")).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(keys()).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(storage.sweepUnfinished(new Date())).rejects.toBeInstanceOf(StorageUnavailableError);
    };

    beforeEach(() => put("users/a.png"));

    it("is what a vanished folder means, which is not made anew", async () => {
      await rename(folder, join(base, "elsewhere"));
      await expectOutage();
      expect(existsSync(folder)).toBe(false);
      await rename(join(base, "elsewhere"), folder);
      expect(await storage.head("users/a.png")).toMatchObject({ state: "exists" });
    });

    it("is what an empty mount point means", async () => {
      await rename(folder, join(base, "elsewhere"));
      await mkdir(folder);
      await expectOutage();
      expect(await readdir(folder)).toEqual([]);
    });

    it("interrupts a listing under way instead of ending it", async () => {
      for (const key of ["a/1.png", "b/1.png", "c/1.png"]) await put(key);
      const listing = storage.list()[Symbol.asyncIterator]();
      expect((await listing.next()).value).toMatchObject({ key: "a/1.png" });
      await rename(folder, join(base, "elsewhere"));
      await expect(listing.next()).rejects.toBeInstanceOf(StorageUnavailableError);
    });

    it.skipIf(process.platform !== "linux")("is unknown, with the error's name, when the system refuses", async () => {
      // A folder just below the system's 4096 bytes of path: the errno says nothing about the object.
      const depth = "d".repeat(4040 - base.length).replace(/.{200}/g, (name) => `/${name.slice(1)}`);
      const deep = createLocalStorage({ folder: base + depth });
      const key = `${"e".repeat(250)}/f.png`;
      const presence = await deep.head(key);
      expect(presence).toMatchObject({ state: "unknown", reason: expect.stringContaining("ENAMETOOLONG") });
      expect(JSON.stringify(presence)).not.toContain(base);
      await expect(deep.get(key)).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(deep.delete(key)).rejects.toBeInstanceOf(StorageUnavailableError);
      await expect(deep.put(key, sourceOf("bytes"), OPTIONS)).rejects.toMatchObject({
        name: "StorageUnavailableError",
        cause: { code: "ENAMETOOLONG" },
      });
    });

    it("is what a disk means that takes no more, and leaves no temporary file", async () => {
      const child = startScript(
        `import { createLocalStorage } from "./src/storage/local.ts";
         import { sourceOf } from "./test/support/byte-source.ts";
         const storage = createLocalStorage({ folder: ${JSON.stringify(folder)} });
         const put = storage.put("full.png", sourceOf(new Uint8Array(4_000_000)), {});
         console.log(await put.catch((error) => error.name + " " + error.cause.code));`,
        { limits: "-f 1000" },
      );
      expect((await outputOf(child)).trim()).toBe("StorageUnavailableError EFBIG");
      expect(await filesBelow(folder)).toEqual(["users/a.png"]);
    });
  });

  describe("folders", () => {
    it("go with their last object, up to the root and not further", async () => {
      await put("users/photos/one/a.png");
      await put("users/photos/two/b.png");
      await storage.delete("users/photos/one/a.png");
      expect(await readdir(join(folder, "users/photos"))).toEqual(["two"]);
      await storage.delete("users/photos/two/b.png");
      expect(await readdir(folder)).toEqual([".tmp"]);
    });

    it("do not vanish under a put while deletes empty them", async () => {
      const cycle = async (name: string) => {
        for (let i = 0; i < 40; i++) {
          await put(`shared/deep/folder/${name}.png`);
          await storage.delete(`shared/deep/folder/${name}.png`);
        }
        await put(`shared/deep/folder/${name}-kept.png`);
      };
      await Promise.all(["a", "b", "c", "d"].map(cycle));
      expect(await keys()).toEqual(["a", "b", "c", "d"].map((name) => `shared/deep/folder/${name}-kept.png`));
    });
  });

  describe("get", () => {
    const large = someBytes(1024 * 1024);
    const canSeeOpenFiles = existsSync("/proc/self/fd");

    it.skipIf(!canSeeOpenFiles)("holds the file open no longer than it is read", async () => {
      await put("large.png", large);
      await put("empty.png", "");
      const object = await storage.get("large.png");
      expect(openFilesBelow(folder)).toHaveLength(1);
      await readAll(object!.stream);
      await (await storage.get("large.png"))!.stream.cancel();
      const reader = (await storage.get("large.png"))!.stream.getReader();
      await reader.read();
      await reader.cancel();
      await readAll((await storage.get("empty.png"))!.stream);
      await expect(storage.get("large.png", { start: 5, end: 1 })).rejects.toThrow(RangeError);
      expect(openFilesBelow(folder)).toEqual([]);
    });

    it.skipIf(!canSeeOpenFiles)("reads only what is asked for, and fails where the file ends too early", async () => {
      await put("large.png", large);
      const reader = (await storage.get("large.png"))!.stream.getReader();
      const first = (await reader.read()).value!;
      await truncate(join(folder, "large.png"), first.length + 10);
      expect((await reader.read()).value).toHaveLength(10);
      await expect(reader.read()).rejects.toThrow("too early");
      expect(openFilesBelow(folder)).toEqual([]);
    });

    it("goes on reading an object that is deleted meanwhile", async () => {
      await put("large.png", large);
      const object = await storage.get("large.png");
      await storage.delete("large.png");
      expect(sha256Of(await readAll(object!.stream))).toBe(sha256Of(large));
    });

    it("does not take a folder for an object", async () => {
      await put("users/a.png");
      expect(await storage.get("users")).toBeNull();
      expect(await storage.head("users")).toEqual({ state: "missing" });
    });
  });

  describe("list", () => {
    it("passes over what is no object", async () => {
      await put("users/a.png");
      await writeFile(join(folder, "users", "control\u0001.png"), "no key is called that");
      await writeFile(join(folder, ".tmp", "under-way"), "half a file");
      await mkdir(join(folder, "lost+found"));
      await writeFile(join(folder, "lost+found", "#12"), "the file system's own");
      await mkdir(join(folder, "empty"));
      expect(await keys()).toEqual(["users/a.png"]);
    });

    it("goes on when folders and files go while it runs", async () => {
      for (const key of ["a/1.png", "b/1.png", "c/1.png", "d.png"]) await put(key);
      const seen: string[] = [];
      for await (const { key } of storage.list()) {
        seen.push(key);
        await storage.delete("b/1.png");
        await storage.delete("d.png");
      }
      expect(seen).toEqual(["a/1.png", "c/1.png"]);
    });
  });

  describe("what a crash leaves", () => {
    it("is a temporary file, and never an object, when the process is killed while it stores", async () => {
      const child = startScript(
        `import { createLocalStorage } from "./src/storage/local.ts";
         const storage = createLocalStorage({ folder: ${JSON.stringify(folder)} });
         let chunks = 0;
         const pull = async (controller) => {
           controller.enqueue(new Uint8Array(65536));
           if (++chunks === 20) console.log("half-way");
           await new Promise((resolve) => setTimeout(resolve, chunks < 20 ? 0 : 1000));
         };
         await storage.put("a/b.png", { size: 1e9, sha256: "", open: () => new ReadableStream({ pull }) }, {});`,
      );
      child.stdout?.once("data", () => child.kill("SIGKILL"));
      expect(await outputOf(child)).toContain("half-way");
      expect(child.signalCode).toBe("SIGKILL");
      expect(await filesBelow(folder)).toEqual([expect.stringMatching(/^\.tmp\//)]);
      expect(await keys()).toEqual([]);
      expect(await storage.sweepUnfinished(new Date(Date.now() + 1000))).toBe(1);
      expect(await filesBelow(folder)).toEqual([]);
    });

    it("is swept by age, and a put under way is not", async () => {
      await writeFile(join(folder, ".tmp", "old"), "left over");
      await utimes(join(folder, ".tmp", "old"), LONG_AGO, LONG_AGO);
      await writeFile(join(folder, ".tmp", "new"), "under way");
      expect(await storage.sweepUnfinished(new Date("2020-01-02T00:00:00Z"))).toBe(1);
      expect(await filesBelow(folder)).toEqual([".tmp/new"]);
      expect(await storage.sweepUnfinished(new Date("2020-01-02T00:00:00Z"))).toBe(0);
    });

    it("does not take the object along when it came between link and removal", async () => {
      await put("a.png");
      await link(join(folder, "a.png"), join(folder, ".tmp", "second-name"));
      expect(await storage.sweepUnfinished(new Date(Date.now() + 1000))).toBe(1);
      expect(new TextDecoder().decode(await readAll((await storage.get("a.png"))!.stream))).toBe("bytes");
    });
  });
});
