/* SPDX-License-Identifier: 0BSD */
/*
** For the world `static`: loads the extension into a connection of SQLite's
** Tcl interface, where the amalgamation is compiled into the same library.
** Tcl loads a library under one name only, so `load` calls the entry point of
** this file, which calls that of SQLite. The command is
**
**   interlock_static DB
*/
#include "sqlite3.h"
#include <tcl.h>

int sqlite3_interlock_init(sqlite3*, char**, const void*);
int Sqlite3_Init(Tcl_Interp*);

static int loadInto(
  ClientData unused,
  Tcl_Interp *interp,
  int objc,
  Tcl_Obj *const *objv
){
  Tcl_CmdInfo info;
  sqlite3 *db;
  char *zErr = 0;
  (void)unused;
  if( objc!=2 ){
    Tcl_WrongNumArgs(interp, 1, objv, "DB");
    return TCL_ERROR;
  }
  if( !Tcl_GetCommandInfo(interp, Tcl_GetString(objv[1]), &info) ){
    Tcl_SetObjResult(interp, Tcl_NewStringObj("no such connection", -1));
    return TCL_ERROR;
  }
  /* The first member of what stands behind a connection's command. */
  db = *(sqlite3**)info.objClientData;
  if( sqlite3_interlock_init(db, &zErr, 0)!=SQLITE_OK ){
    Tcl_SetObjResult(interp, Tcl_NewStringObj(zErr ? zErr : "failed", -1));
    sqlite3_free(zErr);
    return TCL_ERROR;
  }
  return TCL_OK;
}

int Interlockstatic_Init(Tcl_Interp *interp){
  if( Sqlite3_Init(interp)!=TCL_OK ) return TCL_ERROR;
  Tcl_CreateObjCommand(interp, "interlock_static", loadInto, 0, 0);
  return TCL_OK;
}
