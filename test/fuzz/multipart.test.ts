import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTemporaryFolder } from "../support/temporary-folder.js";
import { createDice } from "./dice.js";
import { openFormStage } from "./form-stage.js";
import { makeForm } from "./forms.js";
import { fuzzMultipart } from "./fuzz-multipart.js";
import { mutateForm } from "./mutate-form.js";

/** The long run is `npm run fuzz:multipart`. */
const CASES = 400;

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
beforeAll(async () => {
  folder = await makeTemporaryFolder();
});
afterAll(() => folder.remove());

const fuzz = (run: Partial<Parameters<typeof fuzzMultipart>[0]>) =>
  fuzzMultipart({
    seed: 20,
    from: 0,
    count: CASES,
    milliseconds: 60_000,
    lanes: 100,
    findingsFolder: join(folder.path, "findings"),
    overHttp: null,
    ...run,
  });

describe("damaged forms", () => {
  it("are read or refused, come to an end, and whole ones among them are read as they were written", async () => {
    const { cases, findings, outcomes } = await fuzz({});
    expect(findings).toEqual([]);
    expect(cases).toBe(CASES);
    expect([...outcomes.keys()]).toEqual(
      expect.arrayContaining(["read", "read as it was written", "MALFORMED_MULTIPART"]),
    );
  }, 90_000);

  it("come out the same for the same seed", () => {
    const make = (number: number) => {
      const dice = createDice(3, number);
      return mutateForm(makeForm(dice), dice);
    };
    expect(make(5)).toEqual(make(5));
    expect(make(6)).not.toEqual(make(5));
  });
});

describe("a finding", () => {
  /** The first case of this seed that goes over HTTP. */
  const SENT = 310;

  it("is counted, and its input is kept", async () => {
    const answer = async () => ({ told: "500", isFinding: true });
    const { findings } = await fuzz({ seed: 1, from: SENT, count: 1, overHttp: answer });
    expect(findings).toMatchObject([{ number: SENT, what: "500" }]);
    expect((await readFile(findings[0]?.path ?? "")).length).toBeGreaterThan(0);
  });

  it("is a form that is read as something else", async () => {
    const stage = openFormStage();
    const form = makeForm(createDice(1, 1));
    const [dice, fields] = [createDice(1, 2), new Map([["caption", "what was never sent"]])];
    expect(await stage.compare(form, dice)).toEqual({ told: "read as it was written", isFinding: false });
    expect((await stage.compare({ ...form, fields }, dice)).isFinding).toBe(true);
    expect((await stage.compare({ ...form, body: Buffer.from("nothing") }, dice)).isFinding).toBe(true);
  });
});

describe("a body whose type is no form's", () => {
  it("is read into nothing like every other that is refused", async () => {
    const stage = openFormStage();
    const body = { contentType: "text/plain", body: Buffer.alloc(1000) };
    expect((await stage.read(body, createDice(1, 3))).told).toBe("MALFORMED_MULTIPART");
    await expect.poll(() => stage.open()).toBe(0);
  });
});
