/* SPDX-License-Identifier: 0BSD */
/*
** Whether a statement calls a function, by its text.
**
** A name before a bracket is often something else: `INTO name(`, `REFERENCES
** name(`, `ON name(` of an index, a table-valued function, a type, a common
** table expression. A file chooses the names of its tables, and programs write
** these into their statements. So a name is taken for a call only behind a
** token that an expression can follow, outside of the tables of a FROM and a
** WITH and of the type of a CAST, in a statement that reads or writes rows. Of
** CREATE TABLE and CREATE VIEW that is what follows AS, of CREATE TRIGGER its
** body; other definitions call nothing until a row meets them, and then the
** schema calls it.
**
** FTS3 and FTS4 write statements that call functions which a table names as
** compress= and uncompress=. These are recognized by how FTS3 writes them:
** INSERT INTO 'schema'.'table_content' VALUES(?,"name"(?)), and SELECT
** "name"(x.'column').
**
** No state, no memory, and nothing of SQLite.
*/
#ifndef INTERLOCK_SQLCALL_H
#define INTERLOCK_SQLCALL_H

typedef enum SqlCall {
  SQLCALL_NONE = 0,
  SQLCALL_FOUND,
  SQLCALL_UNREAD         /* not in the part that was read */
} SqlCall;

/* Whether the text contains a call of the function zName(). Reads nMax bytes of
** it, and the rest of the last token. */
SqlCall sqlcallIn(const char *zText, const char *zName, int nMax);

#endif
