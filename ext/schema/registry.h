/* SPDX-License-Identifier: 0BSD */
/*
** The registry of a kind of declared tables: which tables of a schema were
** declared, how, and which triggers they have. It is a table in that schema,
** `interlock_versioned` for instance; its columns are described beside its
** template in sql/.
**
** An entry is found by the number in the names of the table's triggers, which
** follow a RENAME. It is found by the table's name only where the triggers are
** gone, as after the rebuild of a table by a migration.
*/
#ifndef INTERLOCK_REGISTRY_H
#define INTERLOCK_REGISTRY_H

#include "schema/declared.h"

/* Reads the entry of pTab->info into pTab, which is otherwise empty. zEntry
** stays NULL if there is none. */
void registryFind(Sqlx *p, DeclaredTable *pTab);
/* Returns all entries of a schema as a list in order of name, with their
** triggers but not compared with anything. *ppList becomes the list of the
** schema's objects. Returns NULL if the schema has no registry. */
DeclaredTable *registryList(Sqlx *p, const DeclaredKind *pKind,
                            const char *zSchema, TableInfoList **ppList);
/* Returns the same from a list that the caller has. */
DeclaredTable *registryListed(Sqlx *p, const DeclaredKind *pKind,
                              const char *zSchema, const TableInfoList *pList);

/* Draws a number that is in no registry of the schema, whatever the kind. */
const char *registryNumber(Sqlx *p, const char *zSchema);
/* Returns the number in a row of a registry; NULL if the value is none. */
const char *registryReadNumber(Sqlx *p, sqlite3_stmt *pStmt, int iCol);
/* Returns the generator in a row of a registry. */
int registryReadGenerator(sqlite3_stmt *pStmt, int iCol);
/* Returns a text in a row of a registry, "" for NULL. */
const char *registryReadText(Sqlx *p, sqlite3_stmt *pStmt, int iCol);

/* Appends the steps that store the entry, and that make the registry if there
** is none yet. If bDeclared is 0 the entry is stored as undeclared. */
void registryStore(Sqlx *p, const DeclaredTable *pTab, int bDeclared,
                   DdlScope eScope, Ddl *pDdl);
/* Undeclares a table that does not exist any more, in one statement. */
void registryUndeclare(Sqlx *p, const DeclaredTable *pTab);
/* Returns the statement that deletes an entry. */
const char *registryDelete(Sqlx *p, const DeclaredTable *pTab);

#endif
