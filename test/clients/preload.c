/* SPDX-License-Identifier: 0BSD */
/* For a client that loads no extension and uses the system's SQLite: named in
** LD_PRELOAD, it gives every connection of the process Interlock. */
#include "interlock.h"

__attribute__((constructor)) static void load(void){
  sqlite3_auto_extension((void(*)(void))sqlite3_interlock_init);
}
