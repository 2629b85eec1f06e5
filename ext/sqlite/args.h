/* SPDX-License-Identifier: 0BSD */
/*
** What every SQL function does with its arguments and its result. A wrong
** argument sets the request's sticky error, `bad argument:`; zWhat names the
** argument in its text.
*/
#ifndef INTERLOCK_ARGS_H
#define INTERLOCK_ARGS_H

#include "sqlite/sqlx.h"

const char *argsType(sqlite3_value *pVal);
int argsCount(Sqlx *p, int nArg, int nMin, int nMax, const char *zForm);
/* A name, of at most ARGS_TEXT_MAX bytes, since errors copy it. */
#define ARGS_TEXT_MAX 65536
const char *argsText(Sqlx *p, sqlite3_value *pVal, const char *zWhat);
/* The same for a text that is no name: the error says what is allowed. */
const char *argsTextLike(Sqlx *p, sqlite3_value *pVal, const char *zWhat,
                         const char *zAllowed);
/* The schema that an argument names, as sqlxSchemas() has it. */
const char *argsSchema(Sqlx *p, sqlite3_value *pVal);
/* A number; TEXT that is one counts as that number. */
int argsNumberType(sqlite3_value *pVal);
sqlite3_int64 argsInteger(Sqlx *p, sqlite3_value *pVal, const char *zWhat);
/* How long to wait, in ms: -1 without limit, 0 not at all, at most 24 days. */
sqlite3_int64 argsTimeout(Sqlx *p, sqlite3_value *pVal);

/* The end of a request. Each of these functions sets the result of the SQL
** function, which is the request's error if it has one, and ends the request.
** argsEndText returns an SQL NULL for a NULL, argsEndFound for a 0. */
void argsEndNull(Sqlx *p, sqlite3_context *ctx);
void argsEndText(Sqlx *p, sqlite3_context *ctx, const char *z);
void argsEndInteger(Sqlx *p, sqlite3_context *ctx, sqlite3_int64 i);
void argsEndFound(Sqlx *p, sqlite3_context *ctx, sqlite3_int64 i);

#endif
