import { z } from "zod";
import { MEDIA_ERROR_CODES } from "../../src/media/errors.js";
import { mediaOutSchema } from "../../src/media/model.js";
import { entityTypeSchema, refSchema } from "../../src/procedures/inputs.js";
import type { JsonSchema } from "../../src/router/rest-operations.js";

export type Schema = Exclude<JsonSchema, boolean>;

/** Without what says nothing of the values: the same schema has them in one place and not in another. */
const textOf = ({ $schema, description, default: _default, ...rest }: Schema): string => JSON.stringify(rest);
const named = (schema: z.ZodType): string => textOf(z.toJSONSchema(schema));

/** Types that have a name on the page. */
const NAMES: readonly (readonly [schema: string, name: string])[] = [
  [named(mediaOutSchema), "MediaOut"],
  [named(refSchema), "Id"],
  [named(entityTypeSchema), "EntityType"],
  [named(z.enum(MEDIA_ERROR_CODES as [string, ...string[]])), "Code"],
];

const FORMATS: Readonly<Record<string, string>> = { "date-time": "time", date: "day", email: "email", binary: "file" };

/** The type as TypeScript would write it; `integer`, `time` and `day` are numbers and texts of that kind. */
export function typeText(schema: Schema): string {
  const name = NAMES.find(([text]) => text === textOf(schema))?.[1];
  if (name) return name;
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const union = schema.anyOf ?? schema.oneOf;
  if (union) return [...new Set(union.map((one) => typeText(one)))].join(" | ");
  if (schema.type === "array") return arrayText(schema);
  if (schema.type === "object") return objectText(schema);
  return FORMATS[schema.format ?? ""] ?? [schema.type ?? "any"].flat().join(" | ");
}

function arrayText({ items }: Schema): string {
  const item = typeText(items as Schema);
  const isUnion = item.includes(" | ") && !item.startsWith("{");
  return isUnion ? `(${item})[]` : `${item}[]`;
}

function objectText({ properties, required = [] }: Schema): string {
  const members = Object.entries(properties ?? {}).map(
    ([name, member]) => `${name}${required.includes(name) ? "" : "?"}: ${typeText(member as Schema)}`,
  );
  return members.length === 0 ? "object" : `{ ${members.join("; ")} }`;
}

/** Whole numbers without a limit of their own have JavaScript's, which is no news. */
const isLimit = (value: number | undefined): value is number =>
  value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;

function rangeText(from: number | undefined, to: number | undefined, unit: string): string[] {
  const [low, high] = [isLimit(from), isLimit(to)];
  if (low && high) return [from === to ? `${from}${unit}` : `${from} to ${to}${unit}`];
  if (high) return [`at most ${to}${unit}`];
  return low ? [`at least ${from}${unit}`] : [];
}

/** What a value must keep to beyond its type, in words; empty where nothing. */
export function limitsText(schema: Schema): string {
  const members = (schema.anyOf ?? []).filter(({ type }) => type !== "null");
  const [only] = members;
  if (only && members.length === 1) return limitsText(only);
  if (NAMES.some(([text]) => text === textOf(schema))) return "";
  const least = schema.exclusiveMinimum === undefined ? schema.minimum : Number(schema.exclusiveMinimum) + 1;
  const items = schema.items ? limitsText(schema.items as Schema) : "";
  return [
    ...rangeText(least, schema.maximum, ""),
    ...rangeText(schema.minLength, schema.maxLength, " characters"),
    ...rangeText(schema.minItems, schema.maxItems, " of them"),
    ...(items ? [`each ${items}`] : []),
    ...(schema.pattern && !schema.format ? [`matches \`${schema.pattern}\``] : []),
  ].join(", ");
}
