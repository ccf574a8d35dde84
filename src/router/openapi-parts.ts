/** OpenAPI path items by address. */
export type Paths = Record<string, Record<string, unknown>>;

export const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: unknown, example?: unknown) => ({
  "application/json": example === undefined ? { schema } : { schema, example },
});

/** A body that has one of several forms, each with an example by a name of its own. */
export const jsonOfEither = (schemas: readonly unknown[], examples: Record<string, unknown> = {}) => ({
  "application/json": {
    schema: { oneOf: schemas },
    examples: Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }])),
  },
});
