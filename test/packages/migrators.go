// SPDX-License-Identifier: 0BSD
// What the programs with goose and with golang-migrate share: processes that
// migrate the same database at once, of which one is killed in a migration.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"time"

	interlock "interlock.example/sqlite"
)

// The second migration ends when this program gives the lock 'step' back.
var steps = []string{
	"CREATE TABLE steps(name TEXT); INSERT INTO steps VALUES('one');",
	"SELECT advisory_xact_lock('step'); INSERT INTO steps VALUES('two');",
	"SELECT versioned('account'); INSERT INTO steps VALUES('three');",
}

// Sixty migrations for processes that start at the same time.
func init() {
	if len(os.Args) > 2 && os.Args[2] == "race.db" {
		steps = []string{"CREATE TABLE steps(name TEXT);"}
		for i := 1; i < 60; i++ {
			steps = append(steps, "INSERT INTO steps VALUES('one');")
		}
	}
}

var db *sql.DB

func one(query string) (value string) {
	if err := db.QueryRow(query).Scan(&value); err != nil {
		log.Fatal(query, ": ", err)
	}
	return
}

var number = map[bool]int{true: 1}

// How long this may take.
var limit, _ = context.WithTimeout(context.Background(), time.Minute)

// A process of this program that migrates. What it prints is in Stderr.
func start(words ...string) *exec.Cmd {
	process := exec.CommandContext(limit, "/proc/self/exe", words...)
	process.Stderr = &bytes.Buffer{}
	if err := process.Start(); err != nil {
		log.Fatal(err)
	}
	return process
}

// What n processes wait for.
func waits(n int) string {
	for limit.Err() == nil {
		keys := strings.Split(one("SELECT ifnull(group_concat(key), '') FROM"+
			" (SELECT key FROM advisory_waits ORDER BY key)"), ",")
		if len(keys) == n && keys[0] != "" {
			return strings.Join(keys, " ")
		}
		time.Sleep(5 * time.Millisecond)
	}
	return "too long"
}

// The steps that were made.
func made() string {
	return one("SELECT group_concat(name) FROM (SELECT name FROM steps" +
		" ORDER BY rowid)")
}

// Four processes find an empty database.
func race() {
	var all []*exec.Cmd
	for i := 0; i < 4; i++ {
		all = append(all, start("-migrate", "race.db", "60000"))
	}
	for _, process := range all {
		if err := process.Wait(); err != nil {
			log.Fatal("race: ", err, ": ", process.Stderr)
		}
	}
	file, err := sql.Open("sqlite3", "race.db")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	var n int
	err = file.QueryRow("SELECT count(*) FROM steps").Scan(&n)
	if err != nil || n != 59 {
		log.Fatal("race: ", n, " steps, ", err)
	}
}

// program: the test. program -migrate FILE MILLISECONDS: migrates FILE, and
// waits so long for the lock.
func main() {
	if len(os.Args) > 1 {
		wait, err := time.ParseDuration(os.Args[3] + "ms")
		if err == nil {
			err = migrate(os.Args[2], wait)
		}
		if err != nil {
			log.Print(err)
			os.Exit(number[errors.Is(err, refused)] + 1)
		}
		return
	}
	err := interlock.Register()
	if err != nil {
		log.Fatal(err)
	}
	db, err = sql.Open("sqlite3", "shop.db")
	if err != nil {
		log.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	version := strings.Fields(one("SELECT interlock_version()"))[0]
	fmt.Println("loaded", number[version == interlock.Version])
	fmt.Printf("~version %s %s, SQLite %s\n", name, os.Getenv("VERSION"),
		one("SELECT sqlite_version()"))

	one("SELECT advisory_lock('step')")
	first := start("-migrate", "shop.db", "60000")
	waits(1)
	second := start("-migrate", "shop.db", "60000")
	if seen := waits(2); seen != key+" step" {
		log.Fatal("the processes wait for ", seen, second.Stderr)
	}
	tried := start("-migrate", "shop.db", "50")
	tried.Wait()
	first.Process.Kill()
	first.Wait()
	goOn(second)
	waited := made() == "one,two,three"

	fmt.Println("declared", one(
		"SELECT name || '.' || \"column\" FROM versioned_tables"))
	_, err = db.Exec("UPDATE account SET balance = 0, version = 0")
	fmt.Println("stale", number[err != nil &&
		strings.HasPrefix(err.Error(), "stale write: account.version")])
	fmt.Println("locked 1")
	fmt.Println("tried", number[tried.ProcessState.ExitCode() != 2])
	fmt.Println("waited", number[waited])
	race()
	// The lock is given back, too, where the process goes on.
	steps = append(steps, "INSERT INTO steps VALUES('four');")
	if err = here(); err != nil || made() != "one,two,three,four" {
		log.Fatal(made(), ", ", err)
	}
	if one("SELECT count(*) FROM advisory_locks WHERE key = '"+key+"'") != "0" {
		log.Fatal(key, " is still locked")
	}
	if db.Close() == nil {
		fmt.Println("done")
	}
}
