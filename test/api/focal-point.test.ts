import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { followFocalPoints } from "../../src/media/follow-focal-points.js";
import type { MediaOut } from "../../src/media/model.js";
import { removeDueObjects } from "../../src/media/object-deletions.js";
import { UNFOCUSED } from "../../src/media/rendering.js";
import { CORNERS, colourAt, colourDistance, quarters } from "../support/pictures.js";
import { startTestServer, type TestServer } from "../support/server.js";

describe("a focal point", () => {
  let server: TestServer;
  let owner: string;
  let media: MediaOut;
  beforeAll(async () => {
    server = await startTestServer();
    owner = await server.user("USR-OWNER");
    await server.entity("builder", "BLD-1", { ownerId: "USR-OWNER" });
    const picture = await quarters(900, 300).png().toBuffer();
    const parts = [["file", [picture, "a.png"]]] as const;
    media = (await server.post("/v1/media/builders/BLD-1/portfolio", owner, parts)).body.media;
  });
  afterAll(() => server.stop());

  const load = async (url: string | null) => {
    const answer = await fetch(url ?? "");
    return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
  };
  async function setFocalPoint(focalPoint: { x: number; y: number } | null): Promise<MediaOut> {
    const body = { focalPoint };
    await server.call("PATCH", `/v1/media/${media.id}`, { token: owner, body });
    // The server's own upkeep may be at it.
    const isWaiting = async () =>
      (await server.deps.database.media.renderings()).some((word) => word?.startsWith(UNFOCUSED));
    while (await isWaiting()) await followFocalPoints(server.deps, new AbortController().signal);
    return (await server.call<MediaOut>("GET", `/v1/media/${media.id}`)).body;
  }
  /** The colours of the thumbnail's upper corners. */
  async function corners(url: string | null): Promise<(keyof typeof CORNERS | undefined)[]> {
    const { bytes } = await load(url);
    const colours = await Promise.all([0.1, 0.9].map((x) => colourAt(bytes, x, 0.1)));
    const names = Object.keys(CORNERS) as (keyof typeof CORNERS)[];
    return colours.map((colour) => names.find((name) => colourDistance(colour, CORNERS[name]) < 30));
  }

  it("gives the item a thumbnail that keeps it, at a new address, and back to the middle where it is cleared", async () => {
    expect(await corners(media.thumbnailUrl)).toEqual(["topLeft", "topRight"]);
    const right = await setFocalPoint({ x: 1, y: 0.2 });
    expect(await corners(right.thumbnailUrl)).toEqual(["topRight", "topRight"]);
    expect([right.smallUrl, right.originalUrl]).toEqual([media.smallUrl, media.originalUrl]);
    const cleared = await setFocalPoint(null);
    expect(await corners(cleared.thumbnailUrl)).toEqual(["topLeft", "topRight"]);
    expect(new Set([media, right, cleared].map(({ thumbnailUrl }) => thumbnailUrl)).size).toBe(3);
  });

  it("leaves the old address to whoever has it for a while, and nothing for ever", async () => {
    const before = await load(media.thumbnailUrl);
    expect([before.status, before.bytes.length]).toEqual([200, media.variants.at(-1)?.fileSize]);
    await server.deps.database.deletions.hasten(media.id, new Date(Date.now() - 1));
    await removeDueObjects(server.deps);
    expect((await load(media.thumbnailUrl)).status).toBe(404);
    expect((await server.files()).stored).toHaveLength(1 + media.variants.length);
  });
});
