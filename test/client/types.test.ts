import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type BatchAnswer,
  createMediaClient,
  type MediaClient,
  type MediaClientError,
  type MediaErrorCode,
  type MediaOut,
  type MediaPlace,
  type UploadAnswer,
  type UploadPlace,
} from "../../client/index.js";
import { ATTACHMENTS } from "../../src/media/attachments.js";
import type { MediaOut as ServerMediaOut } from "../../src/media/model.js";
import type { Duplicate } from "../../src/media/near-duplicates.js";
import type { BatchFailure } from "../../src/router/batch-upload.js";

/** Checked by the compiler; runs to show that nothing here is refused at run time either. */
const accept = <T>(...values: T[]): number => values.length;

describe("the type of a place", () => {
  it("takes every pair of entity type and field there is", () => {
    const places = accept<UploadPlace>(
      { entityType: "user", id: 1, field: "avatar" },
      { entityType: "user", id: "USR-1", field: "cover" },
      { entityType: "community", id: 1, field: "gallery" },
      { entityType: "community", id: 1, field: "avatar" },
      { entityType: "community", id: 1, field: "cover" },
      { entityType: "amenity", id: 1, field: "gallery", parentId: "CMY-1" },
      { entityType: "builder", id: 1, field: "gallery" },
      { entityType: "builder", id: 1, field: "avatar" },
      { entityType: "builder", id: 1, field: "cover" },
      { entityType: "property", id: 1, field: "gallery" },
      { entityType: "sales_rep", id: 1, field: "avatar" },
      { entityType: "post", id: 1, field: "gallery" },
    );
    expect(places).toBe(ATTACHMENTS.length);
  });

  it("refuses what does not exist", () => {
    const wrong: UploadPlace[] = [
      // @ts-expect-error users have no gallery
      { entityType: "user", id: 1, field: "gallery" },
      // @ts-expect-error sales reps have no cover
      { entityType: "sales_rep", id: 1, field: "cover" },
      // @ts-expect-error there are no lawns
      { entityType: "lawn", id: 1, field: "gallery" },
      // @ts-expect-error an amenity's address names its community
      { entityType: "amenity", id: 1, field: "gallery" },
      // @ts-expect-error a property's does not name its builder
      { entityType: "property", id: 1, field: "gallery", parentId: "BLD-1" },
      // @ts-expect-error a place has an id
      { entityType: "post", field: "gallery" },
    ];
    expect(wrong).toHaveLength(6);
  });

  it("needs no parent in a batch, whose form names the entity alone", () => {
    expect(accept<MediaPlace>({ entityType: "amenity", id: 1, field: "gallery" })).toBe(1);
    expectTypeOf<UploadPlace>().toExtend<MediaPlace>();
  });
});

describe("the types of answers", () => {
  it("are the server's own", () => {
    expectTypeOf<MediaOut>().toExtend<ServerMediaOut>();
    expectTypeOf<ServerMediaOut>().toExtend<MediaOut>();
    expectTypeOf<UploadAnswer["duplicates"][number]>().toEqualTypeOf<Duplicate>();
    expectTypeOf<BatchAnswer["failed"][number]>().toEqualTypeOf<BatchFailure>();
  });

  it("reach through the api with inputs and outputs of each procedure", () => {
    const { api } = createMediaClient({ baseUrl: "http://localhost" });
    expectTypeOf(api.media.list.query).returns.resolves.toHaveProperty("nextCursor").toEqualTypeOf<string | null>();
    expectTypeOf(api.media.list.query).parameter(0).toHaveProperty("id").toEqualTypeOf<string | number>();
    expectTypeOf(api.auth.login.mutate).parameter(0).toEqualTypeOf<{ email: string; password: string }>();
    // @ts-expect-error there is no such group
    expectTypeOf(api.pictures).toBeAny();
    // @ts-expect-error a query is not mutated
    expectTypeOf(api.media.list.mutate).toBeAny();
    expectTypeOf<MediaClient["api"]>().not.toBeAny();
    expect(typeof api.media.list.query).toBe("function");
  });
});

describe("the type of a failure", () => {
  it("is narrowed by its code", () => {
    const facts = ({ problem }: MediaClientError): string => {
      switch (problem.code) {
        case "FILE_TOO_LARGE":
          return String(problem.maxBytes);
        case "FORBIDDEN":
          return problem.right;
        case "ABORTED":
          // @ts-expect-error nothing came that could have a limit
          return String(problem.maxBytes);
        default:
          return problem.detail;
      }
    };
    expect(facts).toBeTypeOf("function");
    expectTypeOf<MediaErrorCode>().toExtend<MediaClientError["code"]>();
  });

  it("is the closed list and what can go wrong on this side", () => {
    type OnThisSide = Exclude<MediaClientError["code"], MediaErrorCode>;
    expectTypeOf<OnThisSide>().toEqualTypeOf<"NO_ANSWER" | "ABORTED" | "UNREADABLE_ANSWER">();
    expect(true).toBe(true);
  });
});
