/* SPDX-License-Identifier: 0BSD */
/*
** The kinds of declared tables. The engine in schema/ knows them by this list
** only. It needs the list to draw a number that no table has, of whatever kind.
*/
#include "fenced/fenced.h"
#include "guarded/guarded.h"
#include "versioned/versioned.h"
SQLITE_EXTENSION_INIT3

const DeclaredKind *declaredKind(int i){
  switch( i ){
    case 0: return versionedKind();
    case 1: return guardedKind();
    case 2: return fencedKind();
    default: return 0;
  }
}
