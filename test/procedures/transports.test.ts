import { afterAll, beforeAll, describe } from "vitest";
import { type ApiStage, openApiStage, openSharedStage, type SharedStage } from "../contracts/api/stage.js";
import { apiContract } from "../contracts/api.js";
import { startSharedServer, TRANSPORTS } from "../support/transports.js";

let shared: SharedStage;
beforeAll(async () => {
  shared = await openSharedStage(await startSharedServer());
});
afterAll(() => shared.server.stop());

describe.each(TRANSPORTS)("the API by $name", (row) => {
  let stage: ApiStage;
  beforeAll(async () => {
    stage = await openApiStage(shared, row);
  });
  afterAll(() => stage.close());

  apiContract(row, () => stage);
});
