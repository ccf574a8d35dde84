import { existsSync } from "node:fs";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { StorageUnavailableError } from "../../src/media/ports.js";
import { errnoOf, isAbsence, onDisk } from "../../src/storage/disk-failure.js";

const failureOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => null).catch((error: unknown) => error);

describe("onDisk", () => {
  it("answers what the work answers", async () => {
    expect(await onDisk(Promise.resolve(7))).toBe(7);
  });

  it.skipIf(!existsSync("/dev/full"))("takes a full disk for an outage, and keeps its cause", async () => {
    const failure = await failureOf(onDisk(writeFile("/dev/full", "bytes")));
    expect(failure).toBeInstanceOf(StorageUnavailableError);
    expect(failure).toMatchObject({ message: "The disk does not serve: ENOSPC.", cause: { code: "ENOSPC" } });
  });

  it("keeps paths out of the message", async () => {
    const failure = await failureOf(onDisk(readFile(`/tmp/${"x".repeat(300)}`)));
    expect(failure).toBeInstanceOf(StorageUnavailableError);
    expect(String(failure)).toContain("ENAMETOOLONG");
    expect(String(failure)).not.toContain("/tmp");
  });

  it.each<[string, () => Promise<unknown>]>([
    ["ENOENT", () => readFile("/nowhere/at/all")],
    ["ENOTDIR", () => readFile("/etc/passwd/child")],
    ["EEXIST", () => mkdir("/tmp")],
    ["ENOTEMPTY", () => rmdir("/usr")],
  ])("lets the answer %s pass as it is", async (errno, work) => {
    const failure = await failureOf(onDisk(work()));
    expect(failure).not.toBeInstanceOf(StorageUnavailableError);
    expect(errnoOf(failure)).toBe(errno);
    expect(isAbsence(failure)).toBe(errno === "ENOENT" || errno === "ENOTDIR");
  });

  it("lets errors pass that are not the file system's", async () => {
    const own = Object.assign(new Error("mine"), { code: "E_MINE" });
    expect(await failureOf(onDisk(Promise.reject(own)))).toBe(own);
    expect(errnoOf(own)).toBeNull();
    expect(errnoOf("ENOENT")).toBeNull();
    expect(isAbsence(new TypeError("ENOENT"))).toBe(false);
  });
});
