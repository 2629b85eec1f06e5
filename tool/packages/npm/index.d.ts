/** The path of the extension: $INTERLOCK, or the one of the package. Throws if
 * there is none for this machine. */
export function getLoadablePath(): string;

/** Loads it into a connection of node:sqlite, better-sqlite3, or another
 * driver whose connections have `loadExtension`. */
export function load(db: { loadExtension(file: string): unknown }): void;
