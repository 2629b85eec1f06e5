/* SPDX-License-Identifier: 0BSD */
/*
** Reading SQL text as tokens: what SQLite keeps of a schema only as text
** (index expressions, CHECK constraints), and names that a user types.
**
** No memory, no SQLite, no state: a scanner over a string. It follows
** SQLite's tokenizer where it matters here: quoting, comments, names.
*/
#ifndef INTERLOCK_TOKEN_H
#define INTERLOCK_TOKEN_H

typedef enum TokenKind {
  TOKEN_END = 0,         /* the end of the text */
  TOKEN_SPACE,           /* white space or a comment */
  TOKEN_WORD,            /* a keyword or an unquoted name */
  TOKEN_QUOTED,          /* "name", [name] or `name` */
  TOKEN_STRING,          /* 'text' */
  TOKEN_OTHER            /* anything else, one byte or one number */
} TokenKind;

typedef struct Token Token;
struct Token {
  TokenKind kind;
  const char *z;         /* where it starts; not NUL-terminated */
  int n;                 /* bytes */
};

Token tokenAt(const char *z, const char *zEnd);
Token tokenNext(const Token *p, const char *zEnd);
int tokenIsWord(const Token *p, const char *zWord);
int tokenIsName(const Token *p, const char *zName);
int tokenIsByte(const Token *p, char c);
int tokenUnquote(const Token *p, char *zOut);
const char *tokenClose(const Token *pOpen, const char *zEnd);
int tokenMentions(const char *z, const char *zEnd, const char *zName);

/* A text as a whole, NUL-terminated. */
int tokenIsBlank(const char *z);
int tokenIsInner(const char *z);
int tokenIsTrigger(const char *z, const char *zName, Token *pName);
void tokenStrip(const char *z, char *zOut);

#endif
