import type { Kit } from "../kit.sqlite.js";
import { accountTables } from "./account-tables.js";
import { directTables } from "./direct-tables.js";
import { entityTables } from "./entity-tables.js";
import { intentTables } from "./intent-tables.js";
import { lifecycleTables } from "./lifecycle-tables.js";
import { mediaTables } from "./media-tables.js";
import { renditionTables } from "./rendition-tables.js";
import { syncTables } from "./sync-tables.js";
import { usageTables } from "./usage-tables.js";

/** All tables, described once for every dialect. */
export function makeSchema(k: Kit) {
  const items = mediaTables(k);
  return {
    ...items,
    ...renditionTables(k, items),
    ...entityTables(k),
    ...accountTables(k),
    ...intentTables(k),
    ...lifecycleTables(k),
    ...usageTables(k),
    ...syncTables(k),
    ...directTables(k),
  };
}

export type Schema = ReturnType<typeof makeSchema>;
