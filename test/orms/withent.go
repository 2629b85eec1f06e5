// SPDX-License-Identifier: 0BSD
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"

	"client/ent"
	"client/ent/account"
	"client/ent/migrate"
	_ "client/ent/runtime"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/mattn/go-sqlite3"
)

func other(words ...string) string {
	words = append([]string{os.Getenv("SRC") + "/other.sh"}, words...)
	out, _ := exec.Command("sh", words...).CombinedOutput()
	return strings.TrimSpace(string(out))
}
func row() string { return other("SELECT balance, version FROM accounts") }
func tryLock() string {
	return other("-load", "SELECT try_row_lock('accounts', 1)")
}
func check(err error) {
	if err != nil {
		panic(err)
	}
}

var number = map[bool]int{true: 1}

func stale(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) &&
		e.ExtendedCode == sqlite3.ErrConstraintTrigger //:stale
}

// Reads the row in a transaction, locks it, and adds 1.
func add(ctx context.Context, client *ent.Client) error {
	tx, err := client.Tx(ctx) //:lock
	if err != nil {
		return err
	}
	defer tx.Rollback()
	lock := "SELECT row_xact_lock('accounts', 1), write_turn()" //:lock
	rows, err := tx.QueryContext(ctx, lock)                     //:lock
	if err != nil {
		return err
	}
	rows.Next()                                 //:lock
	err = errors.Join(rows.Err(), rows.Close()) //:lock
	if err != nil {
		return err
	}
	c, err := tx.Account.Get(ctx, 1) //:lock
	if err != nil {
		return err
	}
	fmt.Println("locked", tryLock())
	err = c.Update().AddBalance(1).Exec(ctx)
	if err != nil {
		return err
	}
	return tx.Commit()
}

func main() {
	sql.Register("interlock", &sqlite3.SQLiteDriver{ //:load
		Extensions: []string{"./build/interlock"}}) //:load
	pool, err := sql.Open("interlock", "shop.db?_fk=1") //:load
	check(err)
	client := ent.NewClient(ent.Driver( //:load
		entsql.OpenDB(dialect.SQLite, pool))) //:load
	ctx := context.Background()
	one := func(text string) (out string) {
		check(pool.QueryRow(text).Scan(&out))
		return
	}
	check(client.Schema.Create(ctx))
	one("SELECT versioned('accounts')")
	loaded := 0
	for i := 0; i < 3; i++ {
		c, err := pool.Conn(ctx)
		check(err)
		defer c.Close()
		var text string
		check(c.QueryRowContext(ctx, "SELECT interlock_version()").Scan(&text))
		loaded++
	}
	fmt.Println("loaded", loaded/3)
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if d.Path == "entgo.io/ent" {
			fmt.Printf("~version ent %s, SQLite %s\n", d.Version,
				one("SELECT sqlite_version()"))
		}
	}
	fmt.Println("status", one("SELECT status FROM versioned_tables"))

	a, err := client.Account.Create().SetBalance(100).Save(ctx)
	check(err)
	a, err = a.Update().SetBalance(90).Save(ctx)
	check(err)
	fmt.Println("saved", a.Version, row())
	a, err = a.Update().SetBalance(80).Save(ctx)
	check(err)
	fmt.Println("again", a.Version, row())

	b, err := client.Account.Query().Where(account.ID(1)).Only(ctx)
	check(err)
	a, err = a.Update().SetBalance(79).Save(ctx)
	check(err)
	_, err = b.Update().SetBalance(78).Save(ctx)
	fmt.Println("~stale", err)
	fmt.Println("stale", number[stale(err)])

	other("UPDATE accounts SET balance = 50")
	_, err = a.Update().SetBalance(77).Save(ctx)
	fmt.Println("unknown", number[stale(err)])

	check(add(ctx, client))
	fmt.Println("free", tryLock())
	_, err = client.Account.Query().ForUpdate().All(ctx)
	if err != nil {
		fmt.Println("~lock", err)
	} else {
		fmt.Println("~lock silently left out")
	}

	// The next schema: balance is optional.
	migrate.AccountsColumns[1].Nullable = true
	check(client.Schema.Create(ctx))
	fmt.Println("rebuilt", one("SELECT status FROM versioned_tables"))
	one("SELECT versioned_repair()")
	fmt.Println("repaired", one("SELECT status FROM versioned_tables"), row())
	fmt.Println("done")
}
