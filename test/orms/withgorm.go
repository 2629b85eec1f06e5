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
	"slices"
	"strings"

	"github.com/mattn/go-sqlite3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

// The version that was read. Updates carry it; so do those of Save and Updates.
type Account struct {
	ID      int64
	Balance int64 `gorm:"not null"`
	Version int64 `gorm:"not null;default:1"`
}

// Select and Omit name the columns that GORM writes: never without the version.
func (a *Account) BeforeUpdate(tx *gorm.DB) error {
	s := tx.Statement
	if len(s.Selects) > 0 {
		s.Selects = append(s.Selects, "version")
	}
	s.Omits = slices.DeleteFunc(s.Omits, func(name string) bool {
		return strings.EqualFold(name, "version")
	})
	s.Settings.Store("read version", a.Version)
	s.SetColumn("Version", a.Version+1)
	return nil
}

// GORM changes the object before it writes. One that was refused stays as old
// as it was; otherwise it would pass the second time.
func afterUpdate(tx *gorm.DB) {
	a, ok := tx.Statement.Model.(*Account)
	read, saved := tx.Statement.Settings.Load("read version")
	if ok && saved && (tx.Error != nil || tx.RowsAffected == 0) {
		a.Version = read.(int64)
	}
}

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

func main() {
	sql.Register("interlock", &sqlite3.SQLiteDriver{ //:load
		Extensions: []string{"./build/interlock"}}) //:load
	db, err := gorm.Open( //:load
		sqlite.New(sqlite.Config{DriverName: "interlock", DSN: "shop.db"}), //:load
		&gorm.Config{Logger: logger.Discard})
	check(err)
	one := func(on *gorm.DB, text string) (out string) {
		check(on.Raw(text).Row().Scan(&out))
		return
	}
	check(db.Callback().Update().After("gorm:update").Register(
		"version", afterUpdate))
	check(db.AutoMigrate(&Account{}))
	one(db, "SELECT versioned('accounts')")
	pool, err := db.DB()
	check(err)
	loaded := 0
	for i := 0; i < 3; i++ {
		c, err := pool.Conn(context.Background())
		check(err)
		defer c.Close()
		var text string
		check(c.QueryRowContext(context.Background(),
			"SELECT interlock_version()").Scan(&text))
		loaded++
	}
	fmt.Println("loaded", loaded/3)
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if d.Path == "gorm.io/gorm" {
			fmt.Printf("~version GORM %s, SQLite %s\n", d.Version,
				one(db, "SELECT sqlite_version()"))
		}
	}
	fmt.Println("status", one(db, "SELECT status FROM versioned_tables"))

	a := &Account{Balance: 100}
	check(db.Create(a).Error)
	check(db.Model(a).Update("balance", 90).Error)
	fmt.Println("saved", a.Version, row())
	check(db.Model(a).Update("balance", 80).Error)
	fmt.Println("again", a.Version, row())

	b := &Account{}
	check(db.First(b, 1).Error)
	check(db.Model(a).Update("balance", 79).Error)
	b.Balance = 78
	err = db.Save(b).Error
	fmt.Println("~stale", err)
	fmt.Println("stale", number[stale(err)])
	// No part of it can be saved, either, nor an object without its version.
	less := &Account{}
	check(db.Select("id", "balance").First(less, 1).Error)
	for _, x := range []*Account{b, less} {
		for i, err := range []error{
			db.Save(x).Error,
			db.Updates(x).Error,
			db.Select("balance").Updates(x).Error,
			db.Omit("Version").Updates(x).Error,
			db.Model(x).Update("balance", 5).Error,
			db.Model(x).Updates(Account{Balance: 5}).Error,
			db.Model(x).Select("balance").Updates(Account{Balance: 5}).Error,
			db.Model(x).Select("Balance").Update("balance", 5).Error,
		} {
			if !stale(err) {
				panic(fmt.Sprint("an object that is stale was saved: ", i))
			}
		}
	}

	other("UPDATE accounts SET balance = 50")
	a.Balance = 77
	fmt.Println("unknown", number[stale(db.Save(a).Error)])

	check(db.Transaction(func(tx *gorm.DB) error { //:lock
		one(tx, "SELECT row_xact_lock('accounts', 1)") //:lock
		c := &Account{}
		if err := tx.First(c, 1).Error; err != nil {
			return err
		}
		fmt.Println("locked", tryLock())
		return tx.Model(c).Update("balance", 51).Error
	}))
	fmt.Println("free", tryLock())
	sent := db.ToSQL(func(tx *gorm.DB) *gorm.DB {
		return tx.Clauses(clause.Locking{Strength: "UPDATE"}).Find(&[]Account{})
	})
	if strings.Contains(sent, "FOR UPDATE") {
		fmt.Println("~lock", db.Clauses(clause.Locking{Strength: "UPDATE"}).
			Find(&[]Account{}).Error)
	} else {
		fmt.Println("~lock silently left out")
	}

	type account struct {
		ID      int64
		Balance *int64
		Version int64 `gorm:"not null;default:1"`
	}
	check(db.Table("accounts").Migrator().AlterColumn(&account{}, "Balance"))
	fmt.Println("rebuilt", one(db, "SELECT status FROM versioned_tables"))
	one(db, "SELECT versioned_repair()")
	fmt.Println("repaired", one(db, "SELECT status FROM versioned_tables"), row())
	fmt.Println("done")
}
