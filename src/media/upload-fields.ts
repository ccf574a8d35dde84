import { z } from "zod";
import { MediaError } from "./errors.js";
import { isWithoutNul, NUL_REFUSED, TEXT_LIMITS } from "./model.js";

/** Text as a form sends it: an empty field says nothing. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine(isWithoutNul, NUL_REFUSED)
    .transform((value) => (value.trim() === "" ? null : value))
    .nullable();

/** Form fields spell booleans in several ways; anything else is refused, not guessed. */
const flag = z.stringbool({ truthy: ["true", "1", "yes", "on"], falsy: ["false", "0", "no", "off", ""] });

/** Tags as JSON sends them; doubled ones count once. */
export const tagsSchema = z
  .array(z.string().trim().min(1).max(TEXT_LIMITS.tag).refine(isWithoutNul, NUL_REFUSED))
  .max(TEXT_LIMITS.tags)
  .transform((tags) => [...new Set(tags)]);

const commaSeparated = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ""),
  )
  .pipe(tagsSchema);

/** 32-bit, so that it fits the column on every database. */
const sortOrder = z.coerce.number().int().min(-2_147_483_648).max(2_147_483_647);

/** Fields every upload may carry, by their wire names. `on_duplicate` says what happens to a copy. */
export const uploadFieldsSchema = z.object({
  alt_text: text(TEXT_LIMITS.altText).default(null),
  caption: text(TEXT_LIMITS.caption).default(null),
  tags: commaSeparated.default([]),
  sort_order: sortOrder.optional(),
  is_public: flag.default(true),
  is_primary: flag.default(false),
  on_duplicate: z.enum(["keep", "reject", "reuse"]).default("keep"),
});
export type UploadFields = z.infer<typeof uploadFieldsSchema>;

const toSnakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Parses form fields; camelCase spellings are taken too. Throws VALIDATION with the wire names. */
export function parseUploadFields(form: ReadonlyMap<string, string>): UploadFields {
  const fields = Object.fromEntries([...form].map(([name, value]) => [toSnakeCase(name), value]));
  const parsed = uploadFieldsSchema.safeParse(fields);
  if (parsed.success) return parsed.data;
  throw new MediaError({ code: "VALIDATION", issues: toValidationIssues(parsed.error) });
}

/** What a person can use of them; an input made of faults alone must not be answered by a longer list. */
const MAX_ISSUES = 20;
const MAX_MESSAGE_LENGTH = 200;

/** Zod's findings as the wire shows them: the first ones, and each one's beginning. */
export const toValidationIssues = (error: z.ZodError): { path: string; message: string }[] =>
  error.issues.slice(0, MAX_ISSUES).map(({ path, message }) => ({
    path: path.join("."),
    message: message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message,
  }));
