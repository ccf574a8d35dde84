import { sqliteKit } from "../kit.sqlite.js";
import { makeSchema } from "./factory.js";

// drizzle-kit finds tables as exports of this file.
export const {
  media,
  mediaVariants,
  mediaRenditions,
  mediaSearch,
  mediaHashBands,
  entities,
  entityMembers,
  entityGrants,
  users,
  sessions,
  serviceTokens,
  uploadIntents,
  instances,
  moderationEvents,
  objectDeletions,
  idempotencyKeys,
  usageCounters,
  uploadDays,
  syncRuns,
  storageFindings,
  directUploads,
} = makeSchema(sqliteKit);
