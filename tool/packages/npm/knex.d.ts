import type { Knex } from "knex";

/** The value of `client` in Knex's configuration: Knex's client for SQLite with
 * Interlock in each connection, row locks, and a lock for migrations. */
export function client(driver?: "better-sqlite3" | "sqlite3"):
  typeof Knex.Client;
