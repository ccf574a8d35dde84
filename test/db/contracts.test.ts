import { afterAll, beforeAll, describe } from "vitest";
import { entityDirectoryContract } from "../contracts/entity-directory.js";
import { intentLogContract } from "../contracts/intent-log.js";
import { mediaRepositoryContract } from "../contracts/media-repository.js";
import { sessionsContract } from "../contracts/sessions.js";
import { userDirectoryContract } from "../contracts/user-directory.js";
import { openMigrated, type TestDatabase } from "../support/database.js";
import { DATABASES } from "../support/databases.js";

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
  describe("intent log", () => {
    intentLogContract(create);
  });
});
