import { AsyncLocalStorage } from "node:async_hooks";
import type { Client, InArgs, InStatement, Transaction } from "@libsql/client";
import { whenFree } from "./sqlite-lock.js";

// libsql calls SQLite synchronously and opens a connection for every overlapping call. Two writers in one process would
// therefore block the event loop that the other needs to finish, and end in SQLITE_BUSY. So one connection writes, its
// users wait for each other here, and another reads: in WAL mode a reader never waits for the writer.

/** Set for whoever runs inside a write transaction; `open` turns false when it ends. */
const holder = new AsyncLocalStorage<{ open: boolean }>();

/** Runs the work of a write transaction, so that a second attempt to write from within it is told apart and refused. */
export async function holdingWriter<T>(work: () => Promise<T>): Promise<T> {
  const hold = { open: true };
  try {
    return await holder.run(hold, work);
  } finally {
    hold.open = false;
  }
}

type Release = () => void;

/** First come, first served. The answer of `acquire` frees the lock; calling it twice does no harm. */
function createMutex(): { acquire(): Promise<Release> } {
  let last: Promise<void> = Promise.resolve();
  return {
    acquire() {
      const before = last;
      return new Promise((granted, refused) => {
        // Waiting would last for ever: the lock is freed by the very work that asks for it.
        if (holder.getStore()?.open)
          return refused(new TypeError("Inside transact, write through the stores that were handed to the work."));
        last = new Promise((release) => {
          void before.then(() => granted(release));
        });
      });
    },
  };
}

/**
 * Foreign keys are checked, and a commit is on the disk before it is acknowledged: an upload that was answered 201
 * survives a power cut.
 */
const WRITER_PRAGMAS = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;";

/**
 * One client out of two over the same file: selects go to `reader`, everything else, one at a time, to `writer`, which
 * must have a concurrency of 1. Closing it closes both.
 */
export function createSingleWriterClient(reader: Client, writer: Client): Client {
  const mutex = createMutex();

  async function write<T>(run: () => Promise<T>): Promise<T> {
    const release = await mutex.acquire();
    try {
      return await whenFree(writer, WRITER_PRAGMAS, run);
    } finally {
      release();
    }
  }

  async function begin(): Promise<Transaction> {
    const release = await mutex.acquire();
    try {
      const transaction = await whenFree(writer, WRITER_PRAGMAS, () => writer.transaction("write"));
      return releasing(transaction, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  return {
    protocol: "file",
    get closed() {
      return writer.closed;
    },
    execute: (statement: InStatement, args?: InArgs) =>
      isSelect(statement) ? run(reader, statement, args) : write(() => run(writer, statement, args)),
    batch: (statements) => write(() => writer.batch(statements, "write")),
    migrate: (statements) => write(() => writer.migrate(statements)),
    executeMultiple: (sql) => write(() => writer.executeMultiple(sql)),
    // oxlint-disable-next-line typescript/no-deprecated -- The interface asks for the old form too; nobody here calls it.
    transaction: begin,
    sync: () => writer.sync(),
    reconnect() {
      reader.reconnect();
      writer.reconnect();
    },
    close() {
      reader.close();
      writer.close();
    },
  };
}

const run = (client: Client, statement: InStatement, args?: InArgs) =>
  typeof statement === "string" ? client.execute(statement, args) : client.execute(statement);

const isSelect = (statement: InStatement): boolean =>
  /^\s*\(?\s*select\b/i.test(typeof statement === "string" ? statement : statement.sql);

/** The transaction, freeing the lock when it ends, however it ends. */
function releasing(transaction: Transaction, release: Release): Transaction {
  const ending = async (end: () => Promise<void>) => {
    try {
      await end();
    } finally {
      release();
    }
  };
  return {
    get closed() {
      return transaction.closed;
    },
    execute: (statement) => transaction.execute(statement),
    batch: (statements) => transaction.batch(statements),
    executeMultiple: (sql) => transaction.executeMultiple(sql),
    commit: () => ending(() => transaction.commit()),
    rollback: () => ending(() => transaction.rollback()),
    close() {
      try {
        transaction.close();
      } finally {
        release();
      }
    },
  };
}
