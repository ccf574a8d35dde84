import type { Sessions, TokenRegister, UserDirectory } from "../src/accounts/ports.js";
import type { Database, Stores } from "../src/media/ports.js";
import type { Connection } from "./connection.js";
import { createDeletionOutbox } from "./deletion-outbox.js";
import { createDirectUploadLog } from "./direct-upload-log.js";
import { speakingMediaErrors } from "./driver-errors.js";
import { createEntityDirectory } from "./entity-directory.js";
import { createIdempotencyLog } from "./idempotency-log.js";
import type { Instances } from "./instances.js";
import { createIntentLog } from "./intent-log.js";
import { createLuciaSessions } from "./lucia-sessions.js";
import { createMediaRepository } from "./media-repository.js";
import { createModerationLog } from "./moderation-log.js";
import { createRenditionLog } from "./rendition-log.js";
import type { Scope } from "./scope.js";
import { createSyncLog } from "./sync-log.js";
import { createTokenRegister } from "./token-register.js";
import { createUsageCounters } from "./usage-counters.js";
import { createUserDirectory } from "./user-directory.js";

/** What the application reads and writes. Rejections are MediaError CONFLICT and DATABASE_UNAVAILABLE. */
export type Facts = { database: Database; users: UserDirectory; sessions: Sessions; tokens: TokenRegister };

export type FactsParts = { connection: Pick<Connection, "ping">; scope: Scope; instances: Instances };

/** All stores over one connection of any dialect, in the name of one process. */
export function createFacts({ connection, scope, instances }: FactsParts): Facts {
  return {
    database: createDatabase({ connection, scope, instances }),
    users: speakingMediaErrors(createUserDirectory(scope)),
    sessions: speakingMediaErrors(createLuciaSessions(scope)),
    tokens: speakingMediaErrors(createTokenRegister(scope)),
  };
}

const createStores = (scope: Scope, instances: Instances): Stores => ({
  media: speakingMediaErrors(createMediaRepository(scope)),
  entities: speakingMediaErrors(createEntityDirectory(scope)),
  intents: speakingMediaErrors(createIntentLog(scope, instances)),
  moderation: speakingMediaErrors(createModerationLog(scope)),
  deletions: speakingMediaErrors(createDeletionOutbox(scope)),
  idempotency: speakingMediaErrors(createIdempotencyLog(scope, instances)),
  usage: speakingMediaErrors(createUsageCounters(scope)),
  sync: speakingMediaErrors(createSyncLog(scope)),
  renditions: speakingMediaErrors(createRenditionLog(scope, instances)),
  directUploads: speakingMediaErrors(createDirectUploadLog(scope)),
});

function createDatabase({ connection, scope, instances }: FactsParts): Database {
  const { transact, ping } = speakingMediaErrors<Pick<Database, "transact" | "ping">>({
    transact: (work) => scope.atomically((inner) => work(createStores(inner, instances))),
    ping: () => connection.ping(),
  });
  return { ...createStores(scope, instances), transact, ping };
}
