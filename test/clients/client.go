// SPDX-License-Identifier: 0BSD
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/mattn/go-sqlite3"
)

var conn *sql.Conn

func one(query string, args ...any) (value string, err error) {
	err = conn.QueryRowContext(context.Background(), query, args...).Scan(&value)
	return
}

func show(word, query string, args ...any) {
	value, err := one(query, args...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(word, value)
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}

func main() {
	sql.Register("interlock", &sqlite3.SQLiteDriver{ //:load
		Extensions: []string{"./build/interlock"}}) //:load
	db, err := sql.Open("interlock", "shop.db") //:load
	if err != nil {
		log.Fatal(err)
	}
	conn, err = db.Conn(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	var e sqlite3.Error

	show("loaded", "SELECT interlock_version() <> ''")
	version, _, _ := sqlite3.Version()
	fmt.Printf("~version go-sqlite3 %s, SQLite %s\n", os.Getenv("MATTN"),
		version)
	show("declared", "SELECT versioned('account')")
	_, err = conn.ExecContext(context.Background(),
		"UPDATE account SET balance = 0, version = 0")
	fmt.Printf("~stale %T: %s\n", err, err)
	ok := errors.As(err, &e)
	ok = ok &&
		e.ExtendedCode == sqlite3.ErrConstraintTrigger //:stale
	fmt.Println("stale", number(ok))
	show("locked", "SELECT advisory_lock('invoices') > 0")
	show("tried", "SELECT try_advisory_lock('printer')")
	show("number", "SELECT try_advisory_lock(?)", 42)
	show("jobs", "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')")
	show("leased", "SELECT lease_acquire('report', 'client', 60000) > 0")
	_, err = conn.ExecContext(context.Background(),
		"UPDATE report SET text = 'late', token = 1")
	fmt.Printf("~fenced %T: %s\n", err, err)
	ok = errors.As(err, &e)
	ok = ok &&
		strings.HasPrefix(e.Error(), "fenced:") //:fenced
	fmt.Println("fenced", number(ok))
	show("~ignored", "SELECT advisory_lock_timeout(50)")
	_, err = one("SELECT advisory_lock('printer')")
	fmt.Printf("~timeout %T: %s\n", err, err)
	ok = errors.As(err, &e)
	ok = ok &&
		e.ExtendedCode == 773 //:timeout
	fmt.Println("timeout", number(ok))
	show("~ignored", "SELECT advisory_lock_timeout(-1)")
	show("waited", "SELECT advisory_lock('scanner') > 0")
	rows, err := conn.QueryContext(context.Background(),
		`SELECT key, mode FROM advisory_locks WHERE session =
		 advisory_session() AND kind = 'advisory' ORDER BY key`)
	if err != nil {
		log.Fatal(err)
	}
	for rows.Next() {
		var key, mode string
		rows.Scan(&key, &mode)
		fmt.Println("held", key, mode)
	}
	rows.Close()
	conn.Close()
	if db.Close() == nil {
		fmt.Println("done")
	}
}
