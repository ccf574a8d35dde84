import type { Socket } from "node:net";
import { createPool, type PoolConnection as RawConnection } from "mysql2";
import type { PoolConnection } from "mysql2/promise";
import type { ConnectOptions } from "./connection.js";
import { isReadOnly } from "./driver-errors.js";

type MysqlPoolOptions = Pick<ConnectOptions, "poolSize" | "answerTimeoutMs"> & {
  /** Reads rows without code made at run time, which some runtimes forbid; slower. */
  disableEval?: boolean;
};

export type MysqlPool = {
  /** Lends a connection to the work. One whose server takes no writes any more is not kept. */
  using<T>(work: (connection: PoolConnection) => Promise<T>): Promise<T>;
  /** Waits for what is under way; later users are refused. */
  close(): Promise<void>;
};

const POOL_SIZE = 10;
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Routers forget a silent connection after some minutes; this keeps it known, and finds out when it is not. */
const KEEP_ALIVE_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;
/** So many may wait for each connection: behind them nobody would be served before giving up. */
const WAITING_PER_CONNECTION = 50;

/**
 * Nothing here may depend on the server's defaults. Strict: what does not fit is refused, never cut. No
 * NO_BACKSLASH_ESCAPES or ANSI_QUOTES: the driver escapes parameters with backslashes, drizzle quotes names with
 * backticks. Five seconds are the longest a statement waits for a row.
 * READ COMMITTED: after waiting for a row, a transaction must read what the one before it committed. Under MySQL's
 * default it would go on reading from the moment of its first select.
 */
export const SESSION_SETTINGS = [
  "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', " +
    "time_zone = '+00:00', innodb_lock_wait_timeout = 5",
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
];

export const wireSettings = (url: string) => ({ uri: url, charset: "utf8mb4", timezone: "Z" });

/** A pool on a `mysql://` URL. It connects when it is first used, and anew whenever a connection was lost. */
export function createMysqlPool(url: string, options: MysqlPoolOptions = {}): MysqlPool {
  const { poolSize = POOL_SIZE, answerTimeoutMs = ANSWER_TIMEOUT_MS, disableEval = false } = options;
  const pool = createPool({
    ...wireSettings(url),
    disableEval,
    connectionLimit: poolSize,
    queueLimit: poolSize * WAITING_PER_CONNECTION,
    connectTimeout: Math.min(CONNECT_TIMEOUT_MS, answerTimeoutMs),
    enableKeepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    // The driver closes idle connections only where fewer may idle than work.
    maxIdle: Math.max(1, poolSize - 1),
    idleTimeout: IDLE_TIMEOUT_MS,
    gracefulEnd: true,
  });
  const sockets = new Set<Socket>();
  pool.on("connection", (connection) => {
    const socket = prepare(connection);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  pool.on("acquire", (connection) => void socketOf(connection).setTimeout(answerTimeoutMs));
  // An idle connection owes nothing.
  pool.on("release", (connection) => void socketOf(connection).setTimeout(0));

  const acquire = () => inTime(pool.promise().getConnection(), answerTimeoutMs);
  return {
    async using(work) {
      const connection = await acquire();
      try {
        return await work(connection);
      } catch (error) {
        if (isReadOnly(error)) connection.destroy();
        throw error;
      } finally {
        connection.release();
      }
    },
    async close() {
      await pool.promise().end();
      // A server that does not hang up must not keep the process alive.
      for (const socket of sockets) socket.unref();
    },
  };
}

// The driver does not declare it, and has no other way to notice a server that is silent.
const socketOf = (connection: RawConnection) => (connection as unknown as { stream: Socket }).stream;

function prepare(connection: RawConnection): Socket {
  const socket = socketOf(connection);
  socket.on("timeout", () => socket.destroy(timedOut("The database server does not answer.")));
  for (const setting of SESSION_SETTINGS)
    connection.query(setting, (error: Error | null) => {
      // A connection with other settings must not be used; whoever holds it is told that it was lost.
      if (error) socket.destroy(new Error("The session can't be set up.", { cause: error }));
    });
  return socket;
}

const timedOut = (message: string) => Object.assign(new Error(message), { code: "ETIMEDOUT" });

/** The connection, if it comes in time; one that comes later goes back. */
function inTime(coming: Promise<PoolConnection>, timeoutMs: number): Promise<PoolConnection> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(timedOut("All connections to the database are in use."));
    }, timeoutMs);
    coming
      .then((connection) => (isLate ? connection.release() : resolve(connection)), reject)
      .finally(() => clearTimeout(timer));
  });
}
