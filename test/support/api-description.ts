import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describeApi } from "../../src/router/openapi.js";

export type Schema = Record<string, unknown>;
export type Content = Record<
  string,
  { schema: Schema; example?: unknown; examples?: Record<string, { value: unknown }> }
>;
type Answer = { description: string; content: Content };
export type Operation = {
  operationId: string;
  parameters?: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Answer | { $ref: string }>;
};
export type ApiDescription = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; responses: Record<string, Answer> };
};

/** What `/openapi.json` answers. */
export const API = JSON.parse(
  JSON.stringify(describeApi({ version: "0.0.0", deps: { urls: { baseUrl: "http://media.test" } } })),
) as ApiDescription;

export const OPERATIONS: readonly Operation[] = Object.values(API.paths).flatMap((methods) => Object.values(methods));

export function operation(operationId: string): Operation {
  const found = OPERATIONS.find((one) => one.operationId === operationId);
  if (!found) throw new Error(`no operation ${operationId}`);
  return found;
}

/** The answer itself, where the operation refers to a shared one. */
export function answerOf({ responses }: Operation, status: string): Answer {
  const answer = responses[status];
  if (!answer) throw new Error(`no answer ${status}`);
  if (!("$ref" in answer)) return answer;
  const shared = API.components.responses[answer.$ref.replace("#/components/responses/", "")];
  if (!shared) throw new Error(`${answer.$ref} leads nowhere`);
  return shared;
}

const ROOT = "http://media.test/openapi.json";

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat("binary", true); // OpenAPI 3.0's, kept for its tools
ajv.addKeyword("components");
ajv.addSchema({ $id: ROOT, components: { schemas: API.components.schemas } });

/** Compiles a schema of the document as JSON Schema 2020-12; throws for words the standard does not know. */
export function compile(schema: Schema): ValidateFunction {
  const absolute = JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${ROOT}#/`);
  return ajv.compile(JSON.parse(absolute) as Schema);
}
