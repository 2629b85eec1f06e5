// SPDX-License-Identifier: 0BSD

// Package interlock links Interlock into programs that use SQLite by the driver
// mattn/go-sqlite3: versioned tables, locks, work queues and write turns.
package interlock

/*
#cgo CFLAGS: -std=gnu11 -O2 -DSQLITE_CORE -DNDEBUG -I.
#cgo LDFLAGS: -lpthread -ldl
#include "interlock.h"

static int interlockRegister(void){
  return sqlite3_auto_extension((void(*)(void))sqlite3_interlock_init);
}
*/
import "C"

import (
	"fmt"

	// It brings SQLite, which this package's C code calls.
	_ "github.com/mattn/go-sqlite3"
)

// Version is that of Interlock: the first word of interlock_version().
const Version = "@VERSION@"

// Register loads Interlock into each connection that the driver opens from now
// on, in any pool of this program.
func Register() error {
	if rc := C.interlockRegister(); rc != 0 {
		return fmt.Errorf("interlock: sqlite3_auto_extension: code %d", int(rc))
	}
	return nil
}
