import { describe, expect, it } from "vitest";
import {
  isBusy,
  isConnectionError,
  isDeadlock,
  isForeignKeyViolation,
  isReadOnly,
  speakingMediaErrors,
  toMediaError,
  violatedUniqueIndex,
} from "../../db/driver-errors.js";
import { MediaError } from "../../src/media/errors.js";

const driverError = (code: string, message = code) => Object.assign(new Error(message), { code });
const wrapped = (cause: Error) => new Error("Failed query", { cause: new Error("between", { cause }) });

const duplicateOnMysql = (index: string) => driverError("ER_DUP_ENTRY", `Duplicate entry 'a' for key '${index}'`);
const duplicateOnSqlite = (columns: string) =>
  driverError("SQLITE_CONSTRAINT", `SQLITE_CONSTRAINT: UNIQUE constraint failed: ${columns}`);

describe("the kind of an error", () => {
  it("is found at any depth", () => {
    expect(isConnectionError(wrapped(driverError("ECONNREFUSED")))).toBe(true);
    expect(isConnectionError(wrapped(driverError("PROTOCOL_CONNECTION_LOST")))).toBe(true);
    const closed = Object.assign(new Error("Can't add new command when connection is in closed state"), {
      fatal: true,
    });
    expect(isConnectionError(wrapped(closed))).toBe(true);
    expect(isDeadlock(wrapped(driverError("ER_LOCK_DEADLOCK")))).toBe(true);
    expect(isBusy(wrapped(driverError("SQLITE_BUSY")))).toBe(true);
    expect(isForeignKeyViolation(wrapped(driverError("ER_NO_REFERENCED_ROW_2")))).toBe(true);
    const sqlite = Object.assign(driverError("SQLITE_CONSTRAINT"), { extendedCode: "SQLITE_CONSTRAINT_FOREIGNKEY" });
    expect(isForeignKeyViolation(wrapped(sqlite))).toBe(true);
  });

  it("is a lost connection where the driver or MariaDB has no code for it", () => {
    for (const message of ["Queue limit reached.", "Pool is closed."])
      expect(isConnectionError(wrapped(new Error(message))), message).toBe(true);
    for (const errno of [1927, 1969]) {
      const killed = Object.assign(driverError("UNKNOWN_CODE_PLEASE_REPORT"), { errno });
      expect(isConnectionError(wrapped(killed)), String(errno)).toBe(true);
    }
    expect(isConnectionError(Object.assign(driverError("UNKNOWN_CODE_PLEASE_REPORT"), { errno: 1928 }))).toBe(false);
    expect(isConnectionError(driverError("X", "Queue limit reached."))).toBe(false);
  });

  it("is a server that takes no writes, which is as good as away", () => {
    for (const code of ["ER_OPTION_PREVENTS_STATEMENT", "ER_READ_ONLY_MODE"]) {
      expect(isReadOnly(wrapped(driverError(code)))).toBe(true);
      expect(isConnectionError(wrapped(driverError(code)))).toBe(true);
    }
    expect(isReadOnly(driverError("ER_DUP_ENTRY"))).toBe(false);
  });

  it("is none of them for other errors, and for what is no error", () => {
    const denied = Object.assign(driverError("ER_ACCESS_DENIED_ERROR"), { fatal: true });
    for (const other of [
      denied,
      new Error("x"),
      driverError("ER_PARSE_ERROR"),
      undefined,
      null,
      "ECONNREFUSED",
      { code: "EPIPE" },
    ])
      for (const is of [isConnectionError, isDeadlock, isBusy, isForeignKeyViolation]) expect(is(other)).toBe(false);
  });
});

describe("a violated unique index", () => {
  it("has the same name on every database", () => {
    expect(violatedUniqueIndex(wrapped(duplicateOnMysql("media_slot_key_unique")))).toBe("media_slot_key_unique");
    expect(violatedUniqueIndex(duplicateOnMysql("media.media_slot_key_unique"))).toBe("media_slot_key_unique");
    expect(violatedUniqueIndex(wrapped(duplicateOnSqlite("media.slot_key")))).toBe("media_slot_key_unique");
    const two = "entities.type, entities.entity_id";
    expect(violatedUniqueIndex(duplicateOnSqlite(two))).toBe("entities_type_entity_id_unique");
  });

  it("is undefined where there was none", () => {
    expect(violatedUniqueIndex(driverError("SQLITE_CONSTRAINT", "FOREIGN KEY constraint failed"))).toBeUndefined();
    expect(violatedUniqueIndex(new Error("for key 'media_slot_key_unique'"))).toBeUndefined();
    expect(violatedUniqueIndex(undefined)).toBeUndefined();
  });
});

describe("toMediaError", () => {
  it("makes CONFLICT of a refused row, with a reason for people", () => {
    const cause = duplicateOnSqlite("media.slot_key");
    const error = toMediaError(cause);
    expect(error).toMatchObject({ cause, failure: { code: "CONFLICT", reason: expect.stringContaining("slot") } });
    expect(toMediaError(duplicateOnMysql("PRIMARY"))).toMatchObject({ failure: { code: "CONFLICT" } });
  });

  it.each([
    "ECONNRESET",
    "ETIMEDOUT",
    "ER_LOCK_DEADLOCK",
    "ER_LOCK_WAIT_TIMEOUT",
    "ER_QUERY_INTERRUPTED",
    "SQLITE_BUSY",
  ])("makes DATABASE_UNAVAILABLE of %s", (code) => {
    const cause = driverError(code);
    const failure = { code: "DATABASE_UNAVAILABLE", retryAfterSeconds: 5 };
    expect(toMediaError(cause)).toMatchObject({ cause, failure });
  });

  it("leaves everything else as it is", () => {
    const mine = new MediaError({ code: "EMPTY_FILE" }, { cause: driverError("ECONNRESET") });
    for (const error of [mine, new RangeError("x"), driverError("ER_PARSE_ERROR"), undefined])
      expect(toMediaError(error)).toBe(error);
  });
});

describe("a port that speaks MediaErrors", () => {
  const port = speakingMediaErrors({
    name: "port",
    add: async (a: number, b: number) => a + b,
    async fail(): Promise<void> {
      throw driverError("EPIPE");
    },
  });

  it("answers like the port itself", async () => {
    expect(port.name).toBe("port");
    expect(await port.add(1, 2)).toBe(3);
  });

  it("rejects with a MediaError, also when its method is taken off or the port is spread", async () => {
    const unavailable = { failure: { code: "DATABASE_UNAVAILABLE" } };
    const { fail } = port;
    for (const call of [() => port.fail(), fail, { ...port }.fail])
      await expect(call()).rejects.toMatchObject(unavailable);
  });
});
