import type { EmptyDatabase } from "./database.js";
import { createMariadbDatabase } from "./mariadb.js";
import { createSqliteDatabase } from "./sqlite.js";

/** Every database the product runs on; contract suites run on each. */
export const DATABASES: readonly { name: string; create(): Promise<EmptyDatabase> }[] = [
  { name: "SQLite", create: createSqliteDatabase },
  { name: "MariaDB", create: createMariadbDatabase },
];
