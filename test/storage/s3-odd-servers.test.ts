import type { IncomingMessage, ServerResponse } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { ObjectExistsError, type ObjectStorage, StorageUnavailableError } from "../../src/media/ports.js";
import { createS3Storage } from "../../src/storage/s3.js";
import { type AnsweringServer, startAnsweringServer } from "../support/answering-server.js";
import { readAll, someBytes, sourceOf } from "../support/byte-source.js";

const OPTIONS = { contentType: "video/mp4", isPublic: true };
const MEBIBYTE = 1024 * 1024;
const LAST_MODIFIED = "Mon, 04 May 2026 03:02:01 GMT";

const unfinished = (key: string, id: number): string =>
  `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>2026-05-04T03:02:01Z</Initiated></Upload>`;

/** What the true server of the tests never does, and others do. */
describe("the S3 store before a server", () => {
  let server: AnsweringServer | undefined;
  const closing: (() => void)[] = [];

  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  const open = async (answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<ObjectStorage> => {
    server = await startAnsweringServer(answer);
    const storage = createS3Storage({
      endpoint: server.endpoint,
      region: "us-east-1",
      bucket: "photos",
      credentials: { accessKeyId: "key", secretAccessKey: "secret" },
      forcePathStyle: true,
      multipartThresholdBytes: 5 * MEBIBYTE,
      maxAttempts: 1,
    });
    closing.push(() => storage.close(), server.close);
    return storage;
  };
  const failed = (request: Promise<unknown>) => expect(request).rejects.toBeInstanceOf(StorageUnavailableError);
  const listAll = async (storage: ObjectStorage) => {
    const found: string[] = [];
    for await (const { key } of storage.list()) found.push(key);
    return found;
  };
  const xml = (response: ServerResponse, body: string, status = 200) =>
    response.writeHead(status, { "content-type": "application/xml" }).end(`<?xml version="1.0"?>${body}`);

  it("that takes no notice of ranges gets none from it, unless the range is the whole object", async () => {
    const storage = await open((_, response) => response.setHeader("content-length", 10).end("0123456789"));
    await failed(storage.get("a.png", { start: 0, end: 8 }));
    await failed(storage.get("a.png", { start: 1, end: 9 }));
    const whole = await storage.get("a.png", { start: 0, end: 20 });
    expect(whole?.size).toBe(10);
    expect(new TextDecoder().decode(await readAll(whole!.stream))).toBe("0123456789");
  });

  it("that answers 404 to everything concludes nothing", async () => {
    const storage = await open((_, response) => response.writeHead(404).end("<h1>Not found</h1>"));
    expect(await storage.head("a.png")).toMatchObject({ state: "unknown" });
    await failed(storage.get("a.png"));
    await failed(listAll(storage));
  });

  it.each([400, 405, 501])("that answers %d to a deletion of many deletes one by one", async (status) => {
    const deleted: string[] = [];
    const storage = await open((request, response) => {
      if (request.method === "POST") return xml(response, "<Error><Code>Odd</Code></Error>", status);
      if (request.url?.includes("kept")) return xml(response, "<Error><Code>AccessDenied</Code></Error>", 403);
      deleted.push(request.url?.split("?")[0] ?? "");
      return response.writeHead(204).end();
    });
    const unremoved = await storage.deleteMany(["a.png", "kept.png", "b.png"]);
    expect(unremoved).toEqual([{ key: "kept.png", error: expect.any(StorageUnavailableError) }]);
    expect(deleted.sort()).toEqual(["/photos/a.png", "/photos/b.png"]);
  });

  it("takes for removed only what the answer to a deletion of many names", async () => {
    const storage = await open((_, response) =>
      xml(
        response,
        `<DeleteResult><Deleted><Key>a.png</Key></Deleted>
         <Error><Key>b.png</Key><Code>AccessDenied</Code></Error>
         <Error><Key>c.png</Key><Code>NoSuchKey</Code></Error></DeleteResult>`,
      ),
    );
    const unremoved = await storage.deleteMany(["a.png", "b.png", "c.png", "d.png"]);
    expect(unremoved.map(({ key }) => key)).toEqual(["b.png", "d.png"]);
    expect(unremoved.map(({ error }) => String(error))).toEqual([
      expect.stringContaining("AccessDenied"),
      expect.stringContaining("no answer"),
    ]);
  });

  it.each([
    ["without a next page", "<IsTruncated>true</IsTruncated>"],
    ["without sizes", `<Contents><Key>a.png</Key><LastModified>2026-05-04T03:02:01Z</LastModified></Contents>`],
    ["without times", "<Contents><Key>a.png</Key><Size>1</Size></Contents>"],
  ])("that lists %s gives no shorter list instead", async (_, content) => {
    const storage = await open((_request, response) =>
      xml(response, `<ListBucketResult>${content}</ListBucketResult>`),
    );
    await expect(listAll(storage)).rejects.toThrow("lacks a size, a time or its next page");
  });

  it("that lists unfinished uploads page by page has all of them aborted", async () => {
    const pages: Record<string, string> = {
      first: `<IsTruncated>true</IsTruncated><NextKeyMarker>b</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>
        ${unfinished("a", 1)}${unfinished("b", 2)}`,
      second: unfinished("c", 3) + unfinished("gone", 4),
    };
    const aborted: string[] = [];
    const storage = await open(({ method, url = "" }, response) => {
      const page = url.includes("key-marker=b") && url.includes("upload-id-marker=2") ? "second" : "first";
      if (method === "GET")
        return xml(response, `<ListMultipartUploadsResult>${pages[page]}</ListMultipartUploadsResult>`);
      if (url.includes("gone")) return xml(response, "<Error><Code>NoSuchUpload</Code></Error>", 404);
      const { pathname, searchParams } = new URL(url, "http://store");
      aborted.push(`${pathname} ${searchParams.get("uploadId")}`);
      return response.writeHead(204).end();
    });
    expect(await storage.sweepUnfinished(new Date())).toBe(3);
    expect(aborted).toEqual(["/photos/a 1", "/photos/b 2", "/photos/c 3"]);
  });

  it.each([
    ["another put's", "is refused"],
    ["this put's own", "succeeds"],
  ])("that refuses the end of an upload in parts over %s object: the put %s", async (owner) => {
    const INITIATED = "<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>";
    let mark: string | string[] = "another";
    const found = () => ({ "x-amz-meta-put": mark, "last-modified": LAST_MODIFIED });
    let isTaken = false;
    const aborted: string[] = [];
    const answers: [RegExp, (response: ServerResponse, url: string) => void][] = [
      [/^HEAD .*a\.mp4/, (response) => response.writeHead(isTaken ? 200 : 404, isTaken ? found() : {}).end()],
      [/^HEAD /, (response) => response.writeHead(200).end()],
      [/^POST .*uploads/, (response) => xml(response, INITIATED)],
      [/^PUT /, (response) => response.writeHead(200, { etag: '"part"' }).end()],
      [
        /^POST /,
        (response) => {
          isTaken = true;
          xml(response, "<Error><Code>PreconditionFailed</Code></Error>", 412);
        },
      ],
      [
        /^DELETE /,
        (response, url) => {
          aborted.push(url);
          response.writeHead(204).end();
        },
      ],
    ];
    const storage = await open(({ method, url = "", headers }, response) => {
      if (owner === "this put's own") mark = headers["x-amz-meta-put"] ?? mark;
      answers.find(([request]) => request.test(`${method} ${url}`))?.[1](response, url);
    });
    const put = storage.put("a.mp4", sourceOf(someBytes(6 * MEBIBYTE)), OPTIONS);
    const outcome: unknown = await put.catch((error: unknown) => error);
    if (owner === "another put's") expect(outcome).toBeInstanceOf(ObjectExistsError);
    else expect(outcome).toBeUndefined();
    expect(aborted).toEqual([expect.stringContaining("uploadId=7")]);
  });
});
