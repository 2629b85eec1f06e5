// SPDX-License-Identifier: 0BSD
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"
	"strings"

	interlock "interlock.example/sqlite" //:load
	"github.com/mattn/go-sqlite3"
)

var db *sql.DB

func one(query string) (value string) {
	if err := db.QueryRow(query).Scan(&value); err != nil {
		log.Fatal(err)
	}
	return
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}

func main() {
	err := interlock.Register() //:load
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite3", "shop.db")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	version := strings.Fields(one("SELECT interlock_version()"))[0]
	fmt.Println("loaded", number(version == interlock.Version))
	linked, _, _ := sqlite3.Version()
	fmt.Printf("~version go-sqlite3 %s, SQLite %s\n", os.Getenv("MATTN"), linked)
	fmt.Println("declared", one("SELECT versioned('account')"))
	_, err = db.Exec("UPDATE account SET balance = 0, version = 0")
	fmt.Println("stale", number(err != nil &&
		strings.HasPrefix(err.Error(), "stale write: account.version")))
	fmt.Println("locked", one("SELECT advisory_lock('invoices') > 0"))
	fmt.Println("tried", one("SELECT try_advisory_lock('printer')"))
	fmt.Println("waited", one("SELECT advisory_lock('scanner') > 0"))
	if db.Close() == nil {
		fmt.Println("done")
	}
}
