import { describe } from "vitest";
import { apiOver } from "../contracts/api.js";
import { startSharedServer, TRANSPORTS } from "../support/transports.js";

const BY_HTTP = TRANSPORTS.filter(({ hasSessions }) => hasSessions);

describe("the API of a worker, with a server beside it for what needs pixels", () => {
  apiOver(BY_HTTP, () => startSharedServer({ database: "mariadb", store: "s3", edge: true }));
});
