import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { answerText } from "../../scripts/api-reference/answer-text.js";
import { anchorOf, table } from "../../scripts/api-reference/markdown.js";
import { failuresOf } from "../../scripts/api-reference/procedures.js";
import { renderApiReference } from "../../scripts/api-reference/reference.js";
import { limitsText, type Schema, typeText } from "../../scripts/api-reference/schema-text.js";
import { ATTACHMENTS } from "../../src/media/attachments.js";
import { MEDIA_ERROR_CODES } from "../../src/media/errors.js";
import { mediaOutSchema } from "../../src/media/model.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { refSchema } from "../../src/procedures/inputs.js";
import { PROCEDURES } from "../../src/router/rest-operations.js";

const page = renderApiReference();
const schemaOf = (schema: z.ZodType): Schema => z.toJSONSchema(schema);

/** Of a page: its headings, and where its links to itself lead. */
const headingsOf = (markdown: string) => [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
const targetsOf = (markdown: string) => [...markdown.matchAll(/\]\(#([^)]*)\)/g)].map(([, target = ""]) => target);

describe("docs/api.md", () => {
  it("is what the procedures and tables say: else npm run docs:api writes it anew", () => {
    expect(readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8")).toBe(page);
  });

  it("has every procedure with its addresses", () => {
    const missing = PROCEDURES.filter(({ procedure, meta }) => {
      const section = page.split(`### ${procedure}\n`)[1]?.split("\n### ")[0] ?? "";
      return (
        !section.includes(meta.summary) ||
        meta.rest?.some(({ method, path }) => !section.includes(`\`${method} ${path}\``))
      );
    });
    expect(missing.map(({ procedure }) => procedure)).toEqual([]);
  });

  it("has every upload address, member of an item, and failure with its status", () => {
    const rows = [
      ...ATTACHMENTS.map(({ path }) => `| \`/v1/media${path}\` |`),
      ...Object.keys(mediaOutSchema.shape).map((name) => `| \`${name}\` |`),
      ...MEDIA_ERROR_CODES.map((code) => `| \`${code}\` | ${ERROR_MAP[code].status} |`),
    ];
    expect(rows.filter((row) => !page.includes(`\n${row}`))).toEqual([]);
  });

  it("leads nowhere but to its own headings, of which each is there once", () => {
    const anchors = headingsOf(page).map(anchorOf);
    expect(anchors).toHaveLength(new Set(anchors).size);
    expect(targetsOf(page).filter((target) => !anchors.includes(target))).toEqual([]);
    expect(targetsOf(page).length).toBeGreaterThan(anchors.length);
  });
});

describe("the reference's words", () => {
  it.each([
    [refSchema, "Id"],
    [mediaOutSchema.array(), "MediaOut[]"],
    [z.enum(["a", "b"]).array(), '("a" | "b")[]'],
    [z.literal("upload"), '"upload"'],
    [z.object({ x: z.number(), y: z.string().nullable().optional() }), "{ x: number; y?: string | null }"],
    [z.union([z.iso.datetime(), z.iso.date()]), "time | day"],
    [z.record(z.string(), z.unknown()), "object"],
    [z.unknown(), "any"],
  ])("write a type as TypeScript does: %#", (schema, text) => {
    expect(typeText(schemaOf(schema))).toBe(text);
  });

  it.each([
    [z.int().min(1).max(100), "1 to 100"],
    [z.int().positive(), "at least 1"],
    [z.int(), ""],
    [z.string().max(5).nullable(), "at most 5 characters"],
    [z.array(z.string().min(2)).length(3), "3 of them, each at least 2 characters"],
    [z.string().regex(/^a$/), "matches `^a$`"],
    [refSchema, ""],
  ])("say what a value must keep to: %#", (schema, text) => {
    expect(limitsText(schemaOf(schema))).toBe(text);
  });

  it("put a long answer on lines of its own, member by member", () => {
    const inner = z.object({ name: z.string(), of: z.object({ width: z.number(), height: z.number() }) });
    const text = answerText(schemaOf(z.object({ first: inner, second: inner.array(), third: z.string() })));
    expect(text.split("\n").slice(4, 7)).toEqual([
      "  first: { name: string; of: { width: number; height: number } };",
      "  second: { name: string; of: { width: number; height: number } }[];",
      "  third: string",
    ]);
    expect(answerText(schemaOf(z.object({ id: z.string() })))).toBe("Answers `{ id: string }`.\n");
  });

  it("keep a bar inside its cell", () => {
    expect(table(["a"], [["`x | y`"]])).toBe("| a |\n| --- |\n| `x \\| y` |\n");
  });

  it("name no refusal of rights where everyone may call, and all of them where few may", () => {
    const codesOf = (name: string) => failuresOf(PROCEDURES.find(({ procedure }) => procedure === name)!);
    expect(codesOf("media.get")).toEqual(["VALIDATION", "MEDIA_NOT_FOUND"]);
    expect(codesOf("analytics.storage")).toEqual(["UNAUTHENTICATED", "FORBIDDEN", "VALIDATION"]);
    expect(codesOf("auth.login")).toEqual(["UNAUTHENTICATED", "VALIDATION"]);
    expect(codesOf("auth.logout")).toEqual([]);
  });
});
