import { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktype } from "quicktype-core";
import { describe, expect, it } from "vitest";
import { API, answerOf, OPERATIONS, type Schema } from "../support/api-description.js";

const LANGUAGES = {
  kotlin: { options: { framework: "kotlinx", package: "com.example.media" }, type: "data class" },
  swift: { options: { "just-types": true }, type: "struct" },
} as const;
type Language = keyof typeof LANGUAGES;

const typeName = (operationId: string, suffix: string): string =>
  operationId
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("") + suffix;

/** What goes in and comes out of every operation as JSON, by the name a client's type gets. */
function operationSchemas(): Record<string, Schema> {
  const schemas: Record<string, Schema> = {};
  for (const one of OPERATIONS.filter(({ operationId }) => operationId.includes("_"))) {
    const body = one.requestBody?.content["application/json"]?.schema;
    if (body) schemas[typeName(one.operationId, "Body")] = body;
    const status = one.operationId.startsWith("upload_") ? "201" : "200";
    const answer = "204" in one.responses ? undefined : answerOf(one, status).content["application/json"];
    if (answer) schemas[typeName(one.operationId, "Answer")] = answer.schema;
  }
  return schemas;
}

/** The generator reads references within one schema: each carries the shared ones. Rejects for what it cannot read. */
async function generate(lang: Language, schemas: Record<string, Schema>): Promise<string> {
  const input = new JSONSchemaInput(new NoFetching());
  const { components } = API;
  for (const [name, schema] of Object.entries(schemas))
    await input.addSource({ name, schema: JSON.stringify({ ...schema, components: { schemas: components.schemas } }) });
  const inputData = new InputData();
  inputData.addInput(input);
  const { lines } = await quicktype({ inputData, lang, rendererOptions: LANGUAGES[lang].options });
  return lines.join("\n");
}

/** A reference that leads out of the document is an error, not a download. */
class NoFetching extends FetchingJSONSchemaStore {
  override fetch(address: string): Promise<never> {
    return Promise.reject(new Error(`${address} is not in the document`));
  }
}

/** The declaration of one type, to its end. */
function declarationOf(code: string, lang: Language, name: string): string {
  const [, declaration] = new RegExp(`${LANGUAGES[lang].type} ${name}\\b([\\s\\S]*?)\\n[)}]`).exec(code) ?? [];
  if (declaration === undefined) throw new Error(`no ${name} in ${lang}`);
  return declaration;
}

/** Members as the generator spells them: `publicId` becomes `publicID`. */
const membersOf = (declaration: string): string[] =>
  [...declaration.matchAll(/^ {4}(?:val|let) `?(\w+)`?:/gm)].map((match) => (match[1] ?? "").toLowerCase()).sort();

describe.each(["kotlin", "swift"] as const)("types for %s", (lang) => {
  it("come out of every shared schema, with every member", async () => {
    const code = await generate(lang, API.components.schemas);
    for (const [name, { properties }] of Object.entries(API.components.schemas)) {
      const members = Object.keys(properties as object).map((member) => member.toLowerCase());
      expect(membersOf(declarationOf(code, lang, name))).toEqual(members.sort());
    }
  });

  it("know what may be absent and what is a list", async () => {
    const media = declarationOf(await generate(lang, API.components.schemas), lang, "MediaOut");
    expect(media).toMatch(/altText: String\?/);
    expect(media).toMatch(/publicID: String(?!\?)/);
    expect(media).toMatch(lang === "kotlin" ? /tags: List<String>/ : /tags: \[String\]/);
  });

  it("come out of what every operation takes and answers", async () => {
    const schemas = operationSchemas();
    expect(Object.keys(schemas).length).toBeGreaterThan(OPERATIONS.length / 2);
    const code = await generate(lang, schemas);
    expect(code).toMatch(new RegExp(`${LANGUAGES[lang].type} MediaListAnswer\\b`));
    expect(code).toMatch(new RegExp(`${LANGUAGES[lang].type} MediaReorderBody\\b`));
    expect(membersOf(declarationOf(code, lang, "MediaBatchDeleteBodyClass"))).toEqual(["mediaids"]);
    expect(code).toMatch(/(sealed class|enum) MediaBatchDeleteBody\b[^}]*array/i);
  });

  it("do not come out of a reference that leads nowhere", async () => {
    await expect(generate(lang, { Broken: { $ref: "#/components/schemas/Nothing" } })).rejects.toThrow(
      "Key Nothing not in schema object",
    );
    await expect(generate(lang, { Foreign: { $ref: "https://elsewhere.test/a.json" } })).rejects.toThrow(
      "Could not fetch schema https://elsewhere.test/a.json",
    );
  });
});
