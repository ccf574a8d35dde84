import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SpooledFile } from "../../src/media/ports.js";
import { createSpool, type ProcessSpool } from "../../src/storage/spool.js";
import { bytesOf, readAll, sha256Of, someBytes } from "../support/byte-source.js";
import { outputOf, startScript } from "../support/child-script.js";
import { filesBelow, makeTemporaryFolder, openFilesBelow } from "../support/temporary-folder.js";

describe("the spool", () => {
  let folder: string;
  let spool: ProcessSpool;
  let remove: () => Promise<void>;

  beforeEach(async () => {
    ({ path: folder, remove } = await makeTemporaryFolder());
    spool = createSpool({ folder, instanceId: "process-1" });
  });
  afterEach(() => remove());

  const spooled = async (...chunks: Uint8Array[]): Promise<SpooledFile> => {
    const writer = await spool.create();
    for (const chunk of chunks) await writer.write(chunk);
    return writer.finish();
  };
  const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  describe("a spooled file", () => {
    it("holds the chunks in order, and tells size, digest and head", async () => {
      const bytes = someBytes(300_000);
      const file = await spooled(bytes.slice(0, 1), bytes.slice(1, 4000), bytes.slice(4000, 5000), bytes.slice(5000));
      expect(file.size).toBe(300_000);
      expect(file.sha256).toBe(sha256Of(bytes));
      expect(file.head).toEqual(bytes.slice(0, 4096));
      expect(sha256Of(await readFile(file.path))).toBe(file.sha256);
    });

    it("may be empty, or shorter than the head", async () => {
      expect(await spooled()).toMatchObject({ size: 0, sha256: sha256Of(bytesOf("")), head: new Uint8Array() });
      expect((await spooled(bytesOf("short"))).head).toEqual(bytesOf("short"));
    });

    it("can be read more than once, also at the same time", async () => {
      const bytes = someBytes(700_000);
      const file = await spooled(bytes);
      const copies = await Promise.all([readAll(file.open()), readAll(file.open())]);
      expect(copies.map(sha256Of)).toEqual([file.sha256, file.sha256]);
      expect(sha256Of(await readAll(file.open()))).toBe(file.sha256);
    });

    it("does not change with the buffers it was given", async () => {
      const writer = await spool.create();
      const reused = new Uint8Array(8);
      for (const value of [1, 2, 3]) await writer.write(reused.fill(value));
      reused.fill(9);
      const file = await writer.finish();
      expect([...file.head]).toEqual([1, 2, 3].flatMap((value) => Array.from({ length: 8 }, () => value)));
      expect(await readAll(file.open())).toEqual(file.head);
    });

    it("is the owner's alone, in the process's own folder", async () => {
      const file = await spooled(bytesOf("bytes"));
      expect(file.path.startsWith(join(folder, "process-1/"))).toBe(true);
      expect(await modeOf(file.path)).toBe("600");
      expect(await modeOf(join(folder, "process-1"))).toBe("700");
    });

    it.skipIf(!existsSync("/proc/self/fd"))("holds nothing open once finished, read or cancelled", async () => {
      const file = await spooled(someBytes(600_000));
      await readAll(file.open());
      await file.open().cancel();
      const reader = file.open().getReader();
      await reader.read();
      await reader.cancel();
      file.open();
      expect(openFilesBelow(folder)).toEqual([]);
    });
  });

  describe("discard", () => {
    it("removes the file at any time, and more than once", async () => {
      const unwritten = await spool.create();
      const halfWay = await spool.create();
      await halfWay.write(bytesOf("half"));
      const finished = await spool.create();
      await finished.write(bytesOf("whole"));
      const file = await finished.finish();
      for (const writer of [unwritten, halfWay, finished, unwritten, halfWay, finished]) await writer.discard();
      expect(await filesBelow(folder)).toEqual([]);
      await expect(readAll(file.open())).rejects.toThrow("ENOENT");
    });

    it("leaves the other files alone", async () => {
      const kept = await spooled(bytesOf("kept"));
      const dropped = await spool.create();
      await dropped.discard();
      expect(await readFile(kept.path, "utf8")).toBe("kept");
    });

    it("ends the file: nothing can be written or finished afterwards", async () => {
      const writer = await spool.create();
      await writer.discard();
      await expect(writer.write(bytesOf("late"))).rejects.toThrow("closed already");
      await expect(writer.finish()).rejects.toThrow("closed already");
      expect(await filesBelow(folder)).toEqual([]);
    });
  });

  describe("a job's folder", () => {
    it("is new, empty and private each time, and goes with all that is in it", async () => {
      const [first, second] = [await spool.folder(), await spool.folder()];
      expect(first.path).not.toBe(second.path);
      expect(await readdir(first.path)).toEqual([]);
      expect(await modeOf(first.path)).toBe("700");
      await mkdir(join(first.path, "below"));
      await writeFile(join(first.path, "below", "large.jpg"), "bytes");
      await first.remove();
      await first.remove();
      expect(existsSync(first.path)).toBe(false);
      expect(existsSync(second.path)).toBe(true);
    });
  });

  describe("a source", () => {
    it("tells size and digest of what a job wrote", async () => {
      const bytes = someBytes(400_000);
      const { path } = await spool.folder();
      await writeFile(join(path, "large.jpg"), bytes);
      const source = await spool.source(join(path, "large.jpg"));
      expect(source).toMatchObject({ size: 400_000, sha256: sha256Of(bytes) });
      expect(sha256Of(await readAll(source.open()))).toBe(sha256Of(bytes));
      expect(sha256Of(await readAll(source.open()))).toBe(sha256Of(bytes));
    });

    it("tells what a spooled file became after it was changed in place", async () => {
      const file = await spooled(bytesOf("before"));
      await writeFile(file.path, "after!");
      expect((await spool.source(file.path)).sha256).toBe(sha256Of(bytesOf("after!")));
    });

    it("may be empty", async () => {
      const { path } = await spool.folder();
      await writeFile(join(path, "empty"), "");
      const source = await spool.source(join(path, "empty"));
      expect(source).toMatchObject({ size: 0, sha256: sha256Of(bytesOf("")) });
      expect(await readAll(source.open())).toHaveLength(0);
    });

    it("is refused outside the process's folder, however it is spelled", async () => {
      const { path } = await spool.folder();
      await writeFile(join(folder, "outside"), "secret");
      const other = createSpool({ folder, instanceId: "process-10" });
      const foreign = await other.folder();
      await writeFile(join(foreign.path, "a"), "another process's");
      await symlink(join(folder, "outside"), join(path, "link"));
      await symlink(folder, join(path, "up"));
      const spellings = ["/etc/hostname", join(folder, "outside"), `${path}/../../outside`, join(foreign.path, "a")];
      for (const spelling of [...spellings, join(path, "link"), join(path, "up/outside"), path, "", "."])
        await expect(spool.source(spelling), spelling).rejects.toBeInstanceOf(TypeError);
    });

    it("is an error for a file that is not there", async () => {
      const { path } = await spool.folder();
      await expect(spool.source(join(path, "missing"))).rejects.toThrow("ENOENT");
    });
  });

  describe("the folders of processes", () => {
    it("are removed when dead, and neither the own nor those alive", async () => {
      for (const instanceId of ["process-2", "process-3", "process-4"]) {
        const other = createSpool({ folder, instanceId });
        await (await other.create()).write(bytesOf("left over"));
      }
      const own = await spooled(bytesOf("own"));
      await writeFile(join(folder, "README"), "no process's");
      expect(await spool.sweepDead((id) => id === "process-3")).toBe(2);
      expect((await readdir(folder)).sort()).toEqual(["README", "process-1", "process-3"]);
      expect(await readFile(own.path, "utf8")).toBe("own");
      expect(await spool.sweepDead((id) => id === "process-3")).toBe(0);
    });

    it("are none before the first file, not even the spool's", async () => {
      const early = createSpool({ folder: join(folder, "not/yet"), instanceId: "process-1" });
      expect(await early.sweepDead(() => false)).toBe(0);
      await early.close();
      expect(await readdir(folder)).toEqual([]);
      await (await early.create()).finish();
      expect(await filesBelow(folder)).toHaveLength(1);
    });

    it("go at close, with everything under way", async () => {
      await spooled(bytesOf("finished"));
      await writeFile(join((await spool.folder()).path, "large.jpg"), "bytes");
      await spool.close();
      await spool.close();
      expect(await readdir(folder)).toEqual([]);
    });

    it.each(["", ".", "..", "../up", "a/b", ".hidden", "a b", "a\0b"])("cannot be called %j", (instanceId) => {
      expect(() => createSpool({ folder, instanceId })).toThrow(TypeError);
    });
  });

  it("says that storage is unavailable when the disk takes no more", async () => {
    const child = startScript(
      `import { createSpool } from "./src/storage/spool.ts";
       const spool = createSpool({ folder: ${JSON.stringify(folder)}, instanceId: "small" });
       const writer = await spool.create();
       const write = async () => { for (let i = 0; i < 100; i++) await writer.write(new Uint8Array(65536)); };
       console.log(await write().catch((error) => error.name + " " + error.cause.code));
       await writer.discard();`,
      { limits: "-f 1000" },
    );
    expect((await outputOf(child)).trim()).toBe("StorageUnavailableError EFBIG");
    expect(await filesBelow(folder)).toEqual([]);
  });
});
