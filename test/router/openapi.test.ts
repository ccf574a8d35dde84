import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, it } from "vitest";
import { ATTACHMENTS } from "../../src/media/attachments.js";
import { MEDIA_ERROR_CODES } from "../../src/media/errors.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { EXAMPLES } from "../../src/router/openapi-examples.js";
import { REST_OPERATIONS } from "../../src/router/rest-operations.js";
import { API, answerOf, type Content, compile, OPERATIONS, operation } from "../support/api-description.js";

const validate = (document: unknown) => new Validator().validate(structuredClone(document) as Record<string, unknown>);

/** Every body the document describes, in and out, by where it stands; shared answers once. */
const CONTENTS: [string, Content][] = [
  ...OPERATIONS.flatMap(({ operationId, requestBody, responses }) => [
    ...(requestBody ? [[`${operationId} body`, requestBody.content] as [string, Content]] : []),
    ...Object.entries(responses).flatMap(([status, answer]): [string, Content][] =>
      "content" in answer ? [[`${operationId} ${status}`, answer.content]] : [],
    ),
  ]),
  ...Object.entries(API.components.responses).map(([name, { content }]): [string, Content] => [name, content]),
];

const examplesOf = (content: Content): { type: string; value: unknown }[] =>
  Object.entries(content).flatMap(([type, { example, examples }]) => [
    ...(example === undefined ? [] : [{ type, value: example }]),
    ...Object.values(examples ?? {}).map(({ value }) => ({ type, value })),
  ]);

const WITH_EXAMPLES = CONTENTS.filter(([, content]) => examplesOf(content).length > 0);

/** What a client of any platform does first. */
const MAIN_OPERATIONS = [
  "media_list",
  "media_get",
  "media_update",
  "media_reorder",
  "media_move",
  "media_delete",
  "media_batchDelete",
  "uploads_createDirect",
  "uploads_complete",
  "uploads_status",
  "moderation_decide",
  "auth_login",
  "auth_createSession",
  "entities_upsert",
];

const UPLOADS = OPERATIONS.filter(({ operationId }) => operationId.startsWith("upload_"));

describe("the description of the API", () => {
  it("is OpenAPI 3.1", async () => {
    expect(API.openapi).toBe("3.1.0");
    expect(await validate(API)).toEqual({ valid: true });
  });

  it("would not pass with a member OpenAPI does not know, or a parameter without a place", async () => {
    expect((await validate({ ...API, route: "/" })).valid).toBe(false);
    const paths = { "/a/{b}": { get: { parameters: [{ name: "b", schema: {} }], responses: {} } } };
    expect((await validate({ ...API, paths })).valid).toBe(false);
  });

  it.each(Object.keys(API.components.schemas))("%s is JSON Schema 2020-12", (name) => {
    expect(compile(API.components.schemas[name] ?? {})).toBeTypeOf("function");
  });

  it.each(CONTENTS)("%s has a schema that compiles", (_, content) => {
    for (const { schema } of Object.values(content)) expect(compile(schema)).toBeTypeOf("function");
  });

  it.each(OPERATIONS.map((one) => [one.operationId, one] as const))("%s has parameters that compile", (_, one) => {
    for (const { schema } of one.parameters ?? []) expect(compile(schema)).toBeTypeOf("function");
  });

  it("would not compile with a word JSON Schema does not know", () => {
    expect(() => compile({ type: "object", propertys: {} })).toThrow("propertys");
    expect(() => compile({ $ref: "#/components/schemas/Nothing" })).toThrow("Nothing");
  });

  it.each(Object.entries(API.paths))("%s names each of its path's parameters once", (path, methods) => {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    for (const { parameters = [] } of Object.values(methods))
      expect(parameters.filter((one) => one.in === "path").map(({ name }) => name)).toEqual(named);
  });

  it("refers to an item by name wherever one stands", () => {
    const spelledOut = OPERATIONS.filter((one) => JSON.stringify(one).includes('"thumbnailUrl":{'));
    expect(spelledOut.map(({ operationId }) => operationId)).toEqual([]);
    expect(answerOf(operation("media_list"), "200").content["application/json"]?.schema).toMatchObject({
      properties: { items: { items: { $ref: "#/components/schemas/MediaOut" } } },
    });
  });
});

describe("uploads in the description", () => {
  it("are one a place, the general one and the batch", () => {
    expect(UPLOADS).toHaveLength(ATTACHMENTS.length + 2);
  });

  it.each(UPLOADS.map((one) => [one.operationId, one] as const))("%s takes a file and an Idempotency-Key", (_, one) => {
    const form = one.requestBody?.content["multipart/form-data"]?.schema as {
      required: string[];
      properties: Record<string, unknown>;
    };
    expect(form.required).toEqual([one.operationId === "upload_batch" ? "files" : "file"]);
    expect(form.properties).toMatchObject({ on_duplicate: { enum: ["keep", "reject", "reuse"] } });
    expect(one.parameters).toContainEqual(expect.objectContaining({ name: "Idempotency-Key", in: "header" }));
    expect(Object.keys(one.responses)).toEqual(expect.arrayContaining(["200", "201", "400", "401", "403", "409"]));
  });
});

describe("failures in the description", () => {
  const statuses = [...new Set(MEDIA_ERROR_CODES.map((code) => String(ERROR_MAP[code].status)))];

  it.each(OPERATIONS.filter((one) => "400" in one.responses).map((one) => [one.operationId, one] as const))(
    "%s has every status a failure can have",
    (_, one) => {
      expect(Object.keys(one.responses)).toEqual(expect.arrayContaining(statuses));
    },
  );

  it.each(MEDIA_ERROR_CODES)("%s has an example under its status", (code) => {
    const { status } = ERROR_MAP[code];
    const { examples } = answerOf(operation("media_get"), String(status)).content["application/problem+json"] ?? {};
    expect(examples?.[code]?.value).toMatchObject({ code, status, type: `urn:artitec-media:problem:${code}` });
  });
});

describe("examples in the description", () => {
  it.each(MAIN_OPERATIONS)("%s has one of its answer, and of its body where it takes one", (operationId) => {
    const one = operation(operationId);
    expect(examplesOf(answerOf(one, "200").content)).toHaveLength(1);
    if (one.requestBody) expect(examplesOf(one.requestBody.content).length).toBeGreaterThan(0);
  });

  it("are there for uploads, one by one and in batches", () => {
    for (const one of UPLOADS)
      expect(examplesOf(answerOf(one, one.operationId === "upload_batch" ? "207" : "201").content)).toHaveLength(1);
  });

  it.each(Object.entries(EXAMPLES))("%s is there, and shows what the table says", (operationId, { body, answer }) => {
    const one = operation(operationId);
    const values = (content: Content) => examplesOf(content).map(({ value }) => value);
    expect(values(answerOf(one, "200").content)).toEqual(answer ? [answer] : []);
    const { arrayInput } = REST_OPERATIONS.find((rest) => rest.operationId === operationId)?.route ?? {};
    const array = arrayInput === undefined ? [] : [body?.[arrayInput]];
    expect(values(one.requestBody?.content ?? {})).toEqual(body ? [body, ...array] : []);
  });

  it.each(WITH_EXAMPLES)("%s fits its schema", (_, content) => {
    for (const { type, value } of examplesOf(content)) {
      const fits = compile(content[type]?.schema ?? {});
      fits(value);
      expect(fits.errors ?? []).toEqual([]);
    }
  });

  it.each(["media_batchDelete", "moderation_batchApprove"])("%s takes its ids bare too, and nothing else", (id) => {
    const { schema = {}, examples = {} } = operation(id).requestBody?.content["application/json"] ?? {};
    expect(examples).toMatchObject({ object: { value: { mediaIds: [42, expect.anything()] } }, array: {} });
    const fits = compile(schema);
    for (const body of [{ mediaIds: [1] }, { mediaIds: ["MED-1", 2] }, [1], ["MED-1", 2], Array(100).fill(1)])
      expect(fits(body), JSON.stringify(body)).toBe(true);
    for (const body of [{}, [], [0], [null], { mediaIds: [] }, Array(101).fill(1), "MED-1", null])
      expect(fits(body), JSON.stringify(body)).toBe(false);
  });

  it("would be refused with a member that is missing or of another type", () => {
    const fits = compile({ $ref: "#/components/schemas/UploadResult" });
    const { value } = examplesOf(answerOf(operation("upload_any"), "201").content)[0] as {
      value: { media: Record<string, unknown> };
    };
    expect(fits(value)).toBe(true);
    expect(fits({ ...value, media: { ...value.media, publicId: undefined } })).toBe(false);
    expect(fits({ ...value, media: { ...value.media, width: "1200" } })).toBe(false);
  });
});
