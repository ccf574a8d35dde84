import { afterEach, describe, expect, it } from "vitest";
import { migrateMysql } from "../../db/migrate-mysql.js";
import type { EmptyDatabase } from "./database.js";
import { createMariadbDatabase } from "./mariadb.js";
import { openTestTables } from "./test-tables.js";

const DESCRIPTIONS = {
  tables: "SELECT table_name, engine, table_collation FROM information_schema.tables",
  columns:
    "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, column_type, collation_name, extra, " +
    "generation_expression FROM information_schema.columns",
  indexes:
    "SELECT table_name, index_name, seq_in_index, column_name, non_unique, index_type FROM information_schema.statistics",
};

const databases: EmptyDatabase[] = [];
afterEach(async () => {
  for (const { remove } of databases.splice(0)) await remove();
});

/** Everything that tells one database from another, but for its name. */
async function described(make: (database: Required<EmptyDatabase>) => Promise<void>): Promise<object> {
  const database = await createMariadbDatabase();
  databases.push(database);
  await make(database);
  const { execute, dump } = openTestTables(database.url);
  const facts = await Promise.all(
    Object.values(DESCRIPTIONS).map((description) =>
      execute(`${description} WHERE table_schema = database() ORDER BY 1, 2, 3`),
    ),
  );
  const keys = await execute(
    "SELECT table_name, constraint_name, referenced_table_name, delete_rule, update_rule " +
      "FROM information_schema.referential_constraints WHERE constraint_schema = database() ORDER BY 1, 2",
  );
  const checks = await execute(
    "SELECT table_name, constraint_name, check_clause FROM information_schema.check_constraints " +
      "WHERE constraint_schema = database() ORDER BY 1, 2",
  );
  const triggers = await execute(
    "SELECT trigger_name, event_manipulation, event_object_table, action_timing, action_statement " +
      "FROM information_schema.triggers WHERE trigger_schema = database() ORDER BY 1",
  );
  return { facts, keys, checks, triggers, rows: await dump() };
}

describe("a database filled as if it were migrated", () => {
  it("is one that was migrated", async () => {
    const migrated = await described(({ url }) => migrateMysql(url));
    expect(await described(({ fill }) => fill())).toEqual(migrated);
    expect(migrated).toMatchObject({ keys: expect.arrayContaining([expect.anything()]) });
    expect(await described(() => Promise.resolve())).not.toEqual(migrated);
  });
});
