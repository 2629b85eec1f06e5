/* SPDX-License-Identifier: 0BSD */
/*
** The kinds of declared tables. The engine in schema/ knows them by this list
** only, and uses it where a number must be no table's of any kind.
*/
#include "fenced/fenced.h"
#include "guarded/guarded.h"
#include "versioned/versioned.h"
SQLITE_EXTENSION_INIT3

const DeclaredKind *const *declaredKinds(void){
  static const DeclaredKind *apKind[4];
  apKind[0] = versionedKind();
  apKind[1] = guardedKind();
  apKind[2] = fencedKind();
  return apKind;
}
