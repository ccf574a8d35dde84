import { describe, expect, it } from "vitest";
import { createMemoryStorage } from "../../src/storage/memory.js";
import { objectStorageContract } from "../contracts/object-storage.js";
import { readAll, sourceOf } from "../support/byte-source.js";

objectStorageContract("memory", async () => ({ storage: createMemoryStorage(), close: async () => undefined }));

describe("the memory store", () => {
  const options = { contentType: "image/png", isPublic: false };

  it("dates objects by the clock it is given", async () => {
    const now = new Date("2026-01-02T03:04:05Z");
    const storage = createMemoryStorage({ now: () => now });
    await storage.put("a.png", sourceOf("bytes"), options);
    expect(await storage.head("a.png")).toEqual({ state: "exists", size: 5, lastModified: now });
  });

  it("does not let a reader change what is stored", async () => {
    const storage = createMemoryStorage();
    await storage.put("a.png", sourceOf("bytes"), options);
    const first = await readAll((await storage.get("a.png"))!.stream);
    first.fill(0);
    const handed = await (await storage.get("a.png"))!.stream.getReader().read();
    handed.value!.fill(0);
    expect(new TextDecoder().decode(await readAll((await storage.get("a.png"))!.stream))).toBe("bytes");
  });
});
