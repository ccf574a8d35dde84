/** OpenAPI path items by address. */
export type Paths = Record<string, Record<string, unknown>>;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: unknown, example?: unknown) => ({
  "application/json": example === undefined ? { schema } : { schema, example },
});
