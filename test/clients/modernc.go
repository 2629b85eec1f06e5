// SPDX-License-Identifier: 0BSD
// modernc.org/sqlite is SQLite as Go, and loads nothing that is C. The tables
// were declared elsewhere.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"modernc.org/sqlite"
)

func main() {
	db, err := sql.Open("sqlite", "shop.db")
	if err != nil {
		log.Fatal(err)
	}
	var version string
	if err = db.QueryRow("SELECT sqlite_version()").Scan(&version); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("~version modernc.org/sqlite %s, SQLite %s\n",
		os.Getenv("MODERNC"), version)
	_, err = db.Exec("UPDATE account SET balance = 0, version = 0")
	fmt.Printf("~stale %T: %s\n", err, err)
	var e *sqlite.Error
	if errors.As(err, &e) {
		stale :=
			e.Code() == 1811 //:stale
		if stale {
			fmt.Println("stale 1")
		}
	}
	_, err = db.Exec("UPDATE report SET text = 'late', token = 1")
	fmt.Printf("~fenced %T: %s\n", err, err)
	fenced := err != nil &&
		strings.Contains(err.Error(), ": fenced:") //:fenced
	if fenced {
		fmt.Println("fenced 1")
	}
	if db.Close() == nil {
		fmt.Println("done")
	}
}
