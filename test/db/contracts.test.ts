import { afterAll, beforeAll, describe } from "vitest";
import { deletionOutboxContract } from "../contracts/deletion-outbox.js";
import { directUploadLogContract } from "../contracts/direct-upload-log.js";
import { entityDirectoryContract } from "../contracts/entity-directory.js";
import { idempotencyLogContract } from "../contracts/idempotency-log.js";
import { intentLogContract } from "../contracts/intent-log.js";
import { lookAlikesContract } from "../contracts/look-alikes.js";
import { mediaLifecycleContract } from "../contracts/media-lifecycle.js";
import { mediaObjectsContract } from "../contracts/media-objects.js";
import { mediaRenderingsContract } from "../contracts/media-renderings.js";
import { mediaRepositoryContract } from "../contracts/media-repository.js";
import { mediaSearchContract } from "../contracts/media-search.js";
import { moderationLogContract } from "../contracts/moderation-log.js";
import { renditionLogContract } from "../contracts/rendition-log.js";
import { sessionsContract } from "../contracts/sessions.js";
import { syncLogContract } from "../contracts/sync-log.js";
import { tokenRegisterContract } from "../contracts/token-register.js";
import { usageCountersContract } from "../contracts/usage-counters.js";
import { userDirectoryContract } from "../contracts/user-directory.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";
import { openTestTables } from "../support/test-tables.js";

describe.each(DATABASES)("$name", ({ create }) => {
  let open: TestDatabase;
  beforeAll(async () => {
    open = await openMigrated(await create());
  });
  afterAll(() => open.close());

  describe("media repository", () => {
    mediaRepositoryContract(() => open.database);
  });
  describe("entity directory", () => {
    entityDirectoryContract(() => open.database);
  });
  describe("user directory", () => {
    userDirectoryContract(() => open);
  });
  describe("sessions", () => {
    sessionsContract(() => open);
  });
  describe("token register", () => {
    tokenRegisterContract(() => ({ tokens: open.tokens, dump: openTestTables(open.url).dump }));
  });
  describe("moderation log", () => {
    moderationLogContract(() => open.database);
  });
  describe("media repository, later", () => {
    mediaLifecycleContract(create);
  });
  describe("media repository, its objects", () => {
    mediaObjectsContract(create);
  });
  describe("media repository, what its items were made by", () => {
    mediaRenderingsContract(create);
  });
  describe("media repository, its search", () => {
    mediaSearchContract(create);
  });
  describe("media repository, what looks alike", () => {
    lookAlikesContract(create);
  });
  describe("usage counters", () => {
    usageCountersContract(create);
  });
  describe("intent log", () => {
    intentLogContract(create);
  });
  describe("deletion outbox", () => {
    deletionOutboxContract(create);
  });
  describe("idempotency log", () => {
    idempotencyLogContract(create);
  });
  describe("direct upload log", () => {
    directUploadLogContract(() => open.database);
  });
  describe("rendition log", () => {
    renditionLogContract(create);
  });
  describe("sync log", () => {
    syncLogContract(create);
  });
});
