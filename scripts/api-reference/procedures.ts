import type { MediaErrorCode } from "../../src/media/errors.js";
import type { CallAudience } from "../../src/procedures/trpc.js";
import { EXAMPLES } from "../../src/router/openapi-examples.js";
import { type DescribedProcedure, PROCEDURES } from "../../src/router/rest-operations.js";
import { answerText } from "./answer-text.js";
import { failureLinks } from "./failures.js";
import { code, linkTo, table } from "./markdown.js";
import { limitsText, type Schema, typeText } from "./schema-text.js";
import { FILE_REFUSALS } from "./uploads.js";

/** Who may call, in words, and what those are told who may not. */
const AUDIENCES: Record<CallAudience, { who: string; refusals: readonly MediaErrorCode[] }> = {
  public: { who: "everyone", refusals: [] },
  "signed-in": { who: "whoever is signed in", refusals: ["UNAUTHENTICATED"] },
  manager: { who: "whoever may manage the entity", refusals: ["UNAUTHENTICATED", "FORBIDDEN"] },
  overseer: {
    who: "moderators, administrators, services, and tokens that read",
    refusals: ["UNAUTHENTICATED", "FORBIDDEN"],
  },
  moderator: {
    who: "moderators, administrators, services, and tokens that moderate",
    refusals: ["UNAUTHENTICATED", "FORBIDDEN"],
  },
  service: { who: "administrators and services with every right", refusals: ["UNAUTHENTICATED", "FORBIDDEN"] },
};

/** Of files that go past the server. */
const OF_FILES: Partial<Record<string, readonly MediaErrorCode[]>> = {
  "uploads.createDirect": ["ENTITY_NOT_FOUND", "UNSUPPORTED_TYPE", "FILE_TOO_LARGE"],
  "uploads.complete": FILE_REFUSALS,
};

const inputsOf = ({ input }: DescribedProcedure): [string, Schema][] =>
  Object.entries(input.properties ?? {}) as [string, Schema][];
const groupOf = (name: string): string => name.split(".")[0] ?? name;

/**
 * What this call may be refused with, beside what every call may be: as its audience, its inputs and its kind say.
 * `test/procedures/principals.test.ts` holds it against what each principal is told by each procedure.
 */
export function failuresOf(described: DescribedProcedure): MediaErrorCode[] {
  const { procedure, type, meta } = described;
  const names = inputsOf(described).map(([name]) => name);
  const isChange = type === "mutation" && meta.audience !== "public";
  const has = (...wanted: string[]): boolean => wanted.some((name) => names.includes(name));
  const isOfItems = ["media", "moderation"].includes(groupOf(procedure));
  const namesEntity = names.includes("type") && has("id", "publicId");
  const codes: [MediaErrorCode, boolean][] = [
    ["VALIDATION", names.length > 0],
    ["ENTITY_NOT_FOUND", namesEntity || (groupOf(procedure) === "users" && type === "query") || has("userId")],
    ["MEDIA_NOT_FOUND", isOfItems && !namesEntity && has("id", "publicId", "mediaIds")],
    ["NOT_FOUND", has("uploadId")],
    ["NOT_FOUND", has("userId") && (meta.rest ?? []).some(({ method }) => method === "DELETE")],
    ["CONFLICT", isChange],
  ];
  const credentials = names.includes("password") && meta.audience === "public";
  const signedIn = isChange ? (["UNAUTHENTICATED", "FORBIDDEN"] as const) : AUDIENCES[meta.audience].refusals;
  const refusals = credentials ? (["UNAUTHENTICATED"] as const) : signedIn;
  return [...refusals, ...codes.flatMap(([name, applies]) => (applies ? [name] : [])), ...(OF_FILES[procedure] ?? [])];
}

function describeInputs(described: DescribedProcedure): string {
  const { required = [] } = described.input;
  const rows = inputsOf(described).map(([name, schema]) => {
    const { default: fallback, description } = schema;
    const notes = [
      ...(required.includes(name) ? ["required"] : []),
      ...(limitsText(schema) ? [limitsText(schema)] : []),
      ...(fallback === undefined ? [] : [`${code(JSON.stringify(fallback))} if absent`]),
      ...(description && typeText(schema) !== "Id" ? [description] : []),
    ];
    return [code(name), code(typeText(schema)), notes.join("; ")];
  });
  return rows.length === 0 ? "" : `\n${table(["input", "type", ""], rows)}`;
}

function describeExample({ procedure }: DescribedProcedure): string {
  const body = EXAMPLES[procedure.replace(".", "_")]?.body;
  return body ? ` For example ${code(JSON.stringify(body))}.` : "";
}

function describeProcedure(described: DescribedProcedure): string {
  const { procedure, type, meta } = described;
  const routes = (meta.rest ?? []).map(({ method, path, arrayInput }) => {
    return `${code(`${method} ${path}`)}${arrayInput ? ` (a bare array is ${code(arrayInput)})` : ""}`;
  });
  const addresses = routes.length === 0 ? `tRPC ${type} alone` : `${routes.join(" · ")} · tRPC ${type}`;
  return [
    `### ${procedure}\n`,
    `${meta.summary}.\n`,
    `${addresses} · for ${AUDIENCES[meta.audience].who}.${describeExample(described)}`,
    describeInputs(described),
    answerText(described.output),
    `Refusals: ${failureLinks(failuresOf(described)) || "none but every call's"}.\n`,
  ].join("\n");
}

export const GROUPS: readonly string[] = [...new Set(PROCEDURES.map(({ procedure }) => groupOf(procedure)))];

const proceduresOf = (group: string): DescribedProcedure[] =>
  PROCEDURES.filter(({ procedure }) => groupOf(procedure) === group);

/** One line of the table of contents. */
export const listGroup = (group: string): string => {
  const links = proceduresOf(group).map(({ procedure }) => linkTo(procedure, procedure.split(".")[1]));
  return `- **${linkTo(group)}**: ${links.join(", ")}`;
};

export const describeGroup = (group: string): string =>
  `## ${group}\n\n${proceduresOf(group).map(describeProcedure).join("\n")}`;
