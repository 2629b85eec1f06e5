import type { Dialect, SqliteDialectConfig } from "kysely";

/** new SqliteDialect(config) with Interlock in its connection, row locks, and a
 * lock for migrators. */
export function dialect(
  SqliteDialect: new (config: SqliteDialectConfig) => Dialect,
  config: SqliteDialectConfig): Dialect;
