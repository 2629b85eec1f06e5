import type { DataSource } from "typeorm";

/** Gives a data source of the type better-sqlite3 Interlock, row locks, and a
 * lock for migrations. To be called before initialize(). Returns it. */
export function use<T extends DataSource>(source: T): T;
