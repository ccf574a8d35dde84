import { randomUUID } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { inject } from "vitest";
import type { EmptyDatabase } from "./database.js";

/** URL of the run's MariaDB server, which starts at the first call. Throws with the reason where it cannot. */
export async function mariadbUrl(): Promise<string> {
  const response = await fetch(inject("mariadbStarter"));
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
  return answer;
}

/** A database of its own on the run's server, made with the server's defaults. */
export async function createMariadbDatabase(): Promise<EmptyDatabase> {
  const server = await mariadbUrl();
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await execute(server, `create database ${name}`);
  return { url: `${server}/${name}`, remove: () => execute(server, `drop database ${name}`) };
}

async function execute(url: string, statement: string): Promise<void> {
  const connection = await createConnection(url);
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}
