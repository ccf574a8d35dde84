import { z } from "zod";
import { ENTITY_TYPE_NAMES } from "../../src/media/attachments.js";
import { mediaOutSchema } from "../../src/media/model.js";
import { ANYWHERE, describeFailures, failureLinks } from "./failures.js";
import { code, linkTo, table } from "./markdown.js";
import { describeGroup, GROUPS, listGroup } from "./procedures.js";
import { type Schema, typeText } from "./schema-text.js";
import { describeUploadRoutes } from "./uploads.js";

function describeMediaOut(): string {
  const properties = Object.entries(z.toJSONSchema(mediaOutSchema).properties ?? {}) as [string, Schema][];
  const rows = properties.map(([name, schema]) => [code(name), code(typeText(schema)), schema.description ?? ""]);
  return `## MediaOut\n\nOne item, in every answer the same. Every member is always there.\n\n${table(["member", "type", ""], rows)}`;
}

const HEAD = `# API reference

Written by \`npm run docs:api\` from the procedures, the upload table and the table of failures; a test fails when it is not what they say. The server shows the HTTP part at \`/docs\` to try, and at \`/openapi.json\` for programs; the [guides](guides) tell how to use it.

Every procedure is a tRPC call at \`/trpc\`, by its name; most have an address of plain HTTP, where names in braces are inputs, and the others stand in the query of \`GET\` and \`DELETE\` and in the JSON body of the rest.
Callers are named by \`Authorization: Bearer …\` (a session's token or the service token) or by the session cookie. An \`Id\` is an integer id or a public id, a \`time\` is ISO 8601, a \`day\` is YYYY-MM-DD, a \`Code\` one of the [failures](#failures), an \`EntityType\` one of ${ENTITY_TYPE_NAMES.map(code).join(", ")}.
`;

/** The whole of docs/api.md. */
export function renderApiReference(): string {
  const contents = [
    `- **${linkTo("multipart uploads")}**: ${["One file", "Many files", "Headers and statuses"].map((one) => linkTo(one, one.toLowerCase())).join(", ")}`,
    ...GROUPS.map(listGroup),
    `- **${linkTo("MediaOut")}**`,
    `- **${linkTo("Failures")}**`,
  ];
  const anywhere = `Any call may be refused with ${failureLinks(ANYWHERE)}: a token that is not valid, too many requests, a body that stalls, a database that is away, a fault of ours. A change under a session cookie that comes from a foreign site is ${failureLinks(["FORBIDDEN"])}. Further refusals stand with each call.\n`;
  const parts = [HEAD, anywhere, `${contents.join("\n")}\n`, describeUploadRoutes(), ...GROUPS.map(describeGroup)];
  return `${[...parts, describeMediaOut(), describeFailures()].map((part) => part.trimEnd()).join("\n\n")}\n`;
}
