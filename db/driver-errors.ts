import { MediaError } from "../src/media/errors.js";

/** The drivers' own errors stand at the end of a chain of causes; so may ours, around them. */
function* chain(
  error: unknown,
): Generator<Error & { code?: unknown; extendedCode?: unknown; errno?: unknown; fatal?: unknown }> {
  for (let link = error; link instanceof Error; link = link.cause) yield link;
}

const hasCode = (error: unknown, codes: ReadonlySet<string>): boolean =>
  [...chain(error)].some((link) => typeof link.code === "string" && codes.has(link.code));

const DEADLOCK = new Set([
  "ER_LOCK_DEADLOCK",
  "ER_LOCK_WAIT_TIMEOUT",
  // "Record has changed since last read": MariaDB's own word for a lost race.
  "ER_CHECKREAD",
]);

/** Whether another transaction stood in the way of this one; the same work may succeed now. */
export const isDeadlock = (error: unknown): boolean => hasCode(error, DEADLOCK);

const BUSY = new Set(["SQLITE_BUSY", "SQLITE_LOCKED"]);

/** Whether another process is writing to the SQLite file. */
export const isBusy = (error: unknown): boolean => hasCode(error, BUSY);

const CONNECTION = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR",
  "PROTOCOL_ENQUEUE_AFTER_DESTROY",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ER_CON_COUNT_ERROR",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_HOST_IS_BLOCKED",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_FORCING_CLOSE",
  "ER_NEW_ABORTING_CONNECTION",
  "ER_CLIENT_INTERACTION_TIMEOUT",
  "ER_QUERY_INTERRUPTED",
  "ER_QUERY_TIMEOUT",
  "ER_OUT_OF_RESOURCES",
  "ER_DISK_FULL",
  "ER_RECORD_FILE_FULL",
  "SQLITE_CANTOPEN",
  "SQLITE_IOERR",
  "SQLITE_FULL",
  "CLIENT_CLOSED",
]);

/** MariaDB's own, for which the driver has no names: killed by an operator, and past its time. */
const CONNECTION_NUMBERS = new Set<unknown>([1927, 1969]);

/** The pool's own, which gives them no codes. */
const POOL_MESSAGES = new Set(["Queue limit reached.", "Pool is closed."]);

/** Whether the database did not answer, as against answering no. */
export const isConnectionError = (error: unknown): boolean =>
  hasCode(error, CONNECTION) || isReadOnly(error) || isClosed(error);

const READ_ONLY = new Set([
  "ER_OPTION_PREVENTS_STATEMENT",
  "ER_READ_ONLY_MODE",
  "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION",
]);

/** Whether the server takes no writes: after a fail-over the old connections lead to one that is a replica now. */
export const isReadOnly = (error: unknown): boolean => hasCode(error, READ_ONLY);

/** mysql2 gives no code where a connection was closed before the command was sent. */
const isClosed = (error: unknown): boolean =>
  [...chain(error)].some(
    ({ fatal, code, errno, message }) =>
      CONNECTION_NUMBERS.has(errno) || (code === undefined && (fatal === true || POOL_MESSAGES.has(message))),
  );

/**
 * The name of the unique index a row ran into (`media_slot_key_unique`), "PRIMARY" or the like for others, undefined
 * where the error says nothing of the kind. Our unique indexes are named table, columns, "unique", which is what
 * SQLite tells instead of the name.
 */
export function violatedUniqueIndex(error: unknown): string | undefined {
  for (const { code, message } of chain(error)) {
    if (code === "ER_DUP_ENTRY") return /for key '(?:[^'.]+\.)?([^']+)'/.exec(message)?.[1];
    const columns = code === "SQLITE_CONSTRAINT" && /UNIQUE constraint failed: (.+)$/.exec(message)?.[1]?.split(", ");
    if (columns) return [tableOf(columns), ...columns.map((column) => column.replace(/^.*\./, "")), "unique"].join("_");
  }
  return undefined;
}

const tableOf = (columns: readonly string[]): string => columns[0]?.replace(/\..*$/, "") ?? "";

const FOREIGN_KEY = new Set(["ER_NO_REFERENCED_ROW_2", "SQLITE_CONSTRAINT_FOREIGNKEY"]);

/** Whether the row refers to one that is not there. */
export const isForeignKeyViolation = (error: unknown): boolean =>
  [...chain(error)].some(
    ({ code, extendedCode }) => FOREIGN_KEY.has(String(code)) || FOREIGN_KEY.has(String(extendedCode)),
  );

/** Why a row was refused, for people. Indexes without a line are answered with a general one. */
const CONFLICTS: Readonly<Record<string, string>> = {
  media_slot_key_unique: "The slot already holds a current item; the old one must go to the trash first.",
  media_primary_of_unique: "Another item is already the primary one of this field.",
  media_public_id_unique: "The public id of the item is taken.",
  media_storage_path_unique: "The object key belongs to another item.",
  media_variants_object_key_unique: "The object key belongs to another item.",
  media_video_processed_url_unique: "The object key belongs to another item.",
  entities_type_entity_id_unique: "The integer id belongs to another entity of this type.",
  entities_type_public_id_unique: "The public id belongs to another entity of this type.",
  users_email_unique: "The e-mail address belongs to another user.",
  service_tokens_living_name_unique: "A living token has this name.",
};

const RETRY_AFTER_SECONDS = 5;

/**
 * What the domain is told: CONFLICT where a unique index refused the row, DATABASE_UNAVAILABLE where the database did
 * not answer or stayed busy; other errors as they are.
 */
export function toMediaError(error: unknown): unknown {
  if (error instanceof MediaError) return error;
  if (isConnectionError(error) || isDeadlock(error) || isBusy(error))
    return new MediaError({ code: "DATABASE_UNAVAILABLE", retryAfterSeconds: RETRY_AFTER_SECONDS }, { cause: error });
  const index = violatedUniqueIndex(error);
  if (index === undefined) return error;
  const reason = CONFLICTS[index] ?? "The same row is already there.";
  return new MediaError({ code: "CONFLICT", reason }, { cause: error });
}

/** The same port, whose methods reject with what `toMediaError` makes of an error. */
export function speakingMediaErrors<T extends object>(port: T): T {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const method = member as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => {
        try {
          return await method.apply(target, args);
        } catch (error) {
          throw toMediaError(error);
        }
      };
    },
  });
}
