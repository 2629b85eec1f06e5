/* SPDX-License-Identifier: 0BSD */
/*
** SQL text as tokens. It is for what SQLite keeps of a schema only as text
** (index expressions, CHECK constraints), and for names that a user types.
**
** The scanner uses no memory, no state and nothing of SQLite. It agrees with
** SQLite's tokenizer in quoting, comments and names.
*/
#ifndef INTERLOCK_SQLTOKEN_H
#define INTERLOCK_SQLTOKEN_H

typedef enum SqlTokenKind {
  SQLTOKEN_END = 0,         /* the end of the text */
  SQLTOKEN_SPACE,           /* white space or a comment */
  SQLTOKEN_WORD,            /* a keyword or an unquoted name */
  SQLTOKEN_QUOTED,          /* "name", [name] or `name` */
  SQLTOKEN_STRING,          /* 'text' */
  SQLTOKEN_OTHER            /* anything else, one byte or one number */
} SqlTokenKind;

typedef struct SqlToken SqlToken;
struct SqlToken {
  SqlTokenKind kind;
  const char *z;         /* where it starts; not NUL-terminated */
  int n;                 /* bytes */
};

/* A text from z to zEnd. */
SqlToken sqltokenAt(const char *z, const char *zEnd);
SqlToken sqltokenNext(const SqlToken *p, const char *zEnd);
int sqltokenIsWord(const SqlToken *p, const char *zWord);
int sqltokenIsName(const SqlToken *p, const char *zName);
int sqltokenIsByte(const SqlToken *p, char c);
int sqltokenUnquote(const SqlToken *p, char *zOut);
const char *sqltokenClose(const SqlToken *pOpen, const char *zEnd);
int sqltokenMentions(const char *z, const char *zEnd, const char *zName);

/* A whole text, NUL-terminated. */
int sqltokenIsBlank(const char *z);
int sqltokenIsInner(const char *z);
int sqltokenIsTrigger(const char *z, const char *zName, SqlToken *pName);
void sqltokenStrip(const char *z, char *zOut);

#endif
