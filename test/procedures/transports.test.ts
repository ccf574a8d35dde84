import { describe } from "vitest";
import { apiOver } from "../contracts/api.js";
import { startSharedServer, TRANSPORTS } from "../support/transports.js";

describe("the API of a server", () => {
  apiOver(TRANSPORTS, startSharedServer);
});
