// SPDX-License-Identifier: 0BSD
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
	interlock "interlock.example/sqlite" //:load
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

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A context that ends in a transaction leaves the session its lock.
func keeps() {
	// So that the goroutine that rolls back begins after the next statement.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	ctx, cancel := context.WithCancel(context.Background())
	conn, err := db.Conn(context.Background())
	check(err)
	defer conn.Close()
	see := func(query string) (value int64) {
		for {
			err := conn.QueryRowContext(context.Background(), query).Scan(&value)
			if !errors.Is(err, context.Canceled) { // it is not rolled back yet
				check(err)
				return
			}
		}
	}
	token := see("SELECT advisory_lock('kept')")
	prepared, err := conn.PrepareContext(context.Background(),
		"UPDATE account SET balance = 54321")
	check(err)
	tx, err := conn.BeginTx(ctx, nil)
	check(err)
	_, err = tx.ExecContext(ctx, "UPDATE account SET balance = 12345")
	check(err)
	cancel()
	if tx.Commit() == nil {
		log.Fatal("a transaction whose context has ended is committed")
	}
	// What is not refused is written.
	for err = context.Canceled; errors.Is(err, context.Canceled); {
		_, err = prepared.Exec()
		runtime.Gosched()
	}
	check(err)
	check(prepared.Close())
	if see("SELECT balance FROM account") != 54321 {
		log.Fatal("a statement is rolled back with the transaction before it")
	}
	if see("SELECT advisory_token('kept')") != token {
		log.Fatal("the lock is lost")
	}
	see("SELECT advisory_lock('forgotten')")
}

// A context ends a wait, and each statement works after it, although a prepared
// SELECT was run by Exec.
func waits() {
	conn, err := db.Conn(context.Background())
	check(err)
	defer conn.Close()
	other, err := sql.Open("interlock", "shop.db")
	check(err)
	defer other.Close()
	holder, err := other.Conn(context.Background())
	check(err)
	defer holder.Close()
	_, err = holder.ExecContext(context.Background(),
		"SELECT advisory_lock('held')")
	check(err)
	prepared, err := conn.PrepareContext(context.Background(),
		"SELECT advisory_lock('mine ' || value) FROM json_each('[1,2]')")
	check(err)
	_, err = prepared.ExecContext(context.Background())
	check(err)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	for _, when := range []string{"later", "before"} {
		_, err = conn.ExecContext(ctx,
			"SELECT advisory_lock('held', wait_at_most(20000))")
		if !errors.Is(err, context.Canceled) {
			log.Fatal("a context that ends ", when, ": ", err)
		}
	}
	var n int
	check(conn.QueryRowContext(context.Background(), "SELECT count(*) FROM"+
		" advisory_locks WHERE key GLOB 'mine [12]'").Scan(&n))
	if n != 2 {
		log.Fatal("Exec of a prepared SELECT takes ", n, " locks of 2")
	}
	check(prepared.Close())
}

// What goes back to the pool has neither locks nor a transaction.
func forgets() {
	if n := one("SELECT count(*) FROM advisory_locks WHERE pid = " +
		fmt.Sprint(os.Getpid())); n != "0" {
		log.Fatal("the connection goes back to the pool with locks: ", n)
	}
	for i := 0; i < 2; i++ {
		_, err := db.Exec("BEGIN")
		check(err)
	}
}

func main() {
	sql.Register("interlock", &interlock.Driver{}) //:load
	var err error
	db, err = sql.Open("interlock", "shop.db") //:load
	check(err)
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
	keeps()
	waits()
	forgets()
	if db.Close() == nil {
		fmt.Println("done")
	}
}
