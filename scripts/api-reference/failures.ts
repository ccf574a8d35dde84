import { isPassing } from "../../client/retry.js";
import { MEDIA_ERROR_CODES, type MediaErrorCode } from "../../src/media/errors.js";
import { ERROR_MAP } from "../../src/procedures/error-map.js";
import { failureContent, PROBLEM } from "../../src/router/openapi-failures.js";
import { code, linkTo, table } from "./markdown.js";

const HEADING = "Failures";

export const failureLinks = (codes: readonly MediaErrorCode[]): string =>
  codes.map((one) => linkTo(HEADING, code(one))).join(", ");

/** What any call may be answered with, whatever it asks: read off where the transports and the adapters throw. */
export const ANYWHERE = [
  "UNAUTHENTICATED",
  "RATE_LIMITED",
  "REQUEST_TIMEOUT",
  "DATABASE_UNAVAILABLE",
  "INTERNAL",
] as const satisfies readonly MediaErrorCode[];

function sampleOf(name: MediaErrorCode): Record<string, unknown> {
  const { examples } = failureContent(ERROR_MAP[name].status)["application/problem+json"];
  return { ...examples[name]?.value };
}

/** Members that tell of this one case. */
const factsOf = (name: MediaErrorCode): string[] =>
  Object.keys(sampleOf(name)).filter((member) => !(member in PROBLEM.properties));

export function describeFailures(): string {
  const rows = MEDIA_ERROR_CODES.map((name) => {
    const { status, title } = ERROR_MAP[name];
    const facts = factsOf(name).map(code).join(", ");
    return [code(name), String(status), title, facts, isPassing({ code: name, status }) ? "yes" : ""];
  });
  return [
    `## ${HEADING}\n`,
    `Every failure is \`application/problem+json\`: ${PROBLEM.required.map(code).join(", ")} and the facts named below. Over tRPC the same members stand in the error's \`data\`, with \`httpStatus\` for the status.`,
    "*Again* marks what may pass: an upload may be sent again as it was, under the same `Idempotency-Key`, after `Retry-After` seconds where the answer names some.\n",
    table(["code", "status", "title", "facts", "again"], rows),
  ].join("\n");
}
