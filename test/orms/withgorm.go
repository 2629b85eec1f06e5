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
// Without a key it is an UPDATE of rows that no object has read.
func (a *Account) BeforeUpdate(tx *gorm.DB) error {
	if a.ID == 0 {
		return nil
	}
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

var errGone = errors.New("stale write: the row is newer or gone")

// GORM changes the object before it writes. One that was refused stays as old
// as it was; otherwise it would pass the second time. Where nothing was written
// Save would go on, and insert the object.
func afterUpdate(tx *gorm.DB) {
	a, ok := tx.Statement.Model.(*Account)
	read, saved := tx.Statement.Settings.Load("read version")
	if !ok || !saved {
		return
	}
	if tx.Error == nil && tx.RowsAffected == 0 && !tx.DryRun {
		tx.AddError(errGone)
	}
	if tx.Error != nil {
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

type Letter struct {
	gorm.Model
	Version int64 `gorm:"not null;default:1"`
}

// What the page says of other calls, undone after it.
func others(db *gorm.DB) {
	expect := func(what string, is bool) {
		if !is {
			panic(what)
		}
	}
	const undo = "undo"
	work := func(tx *gorm.DB) error {
		a := &[]Account{{Balance: 1}, {Balance: 2}}
		check(tx.Create(a).Error)
		first, second := &(*a)[0], &(*a)[1]
		// A row that is gone stays so.
		check(tx.Exec("DELETE FROM accounts WHERE id = ?", first.ID).Error)
		expect("Save", errors.Is(tx.Save(first).Error, errGone))
		expect("Update", errors.Is(tx.Model(first).Update("balance", 5).Error,
			errGone))
		err := tx.First(&Account{}, first.ID).Error
		expect("gone", errors.Is(err, gorm.ErrRecordNotFound))
		// Updates without an object are not checked, and raise the version.
		check(tx.Model(&Account{}).Where("id = ?", second.ID).
			Update("balance", 6).Error)
		expect("stale", stale(tx.Save(second).Error))
		check(tx.First(second, second.ID).Error)
		expect("raised", second.Version == 2 && second.Balance == 6)
		check(tx.Model(&Account{}).Where("balance = -1").
			Update("balance", 7).Error)
		// These write the version as it was read, and so are refused.
		expect("slice", stale(tx.Save(&[]Account{*second}).Error))
		expect("UpdateAll", stale(tx.Clauses(clause.OnConflict{
			UpdateAll: true}).Create(&Account{second.ID, 8, 2}).Error))
		// A save that was rolled back leaves the object ahead of its row.
		check(tx.SavePoint("a").Error)
		check(tx.Save(second).Error)
		check(tx.RollbackTo("a").Error)
		err = tx.Save(second).Error
		expect("ahead", strings.HasPrefix(fmt.Sprint(err), "version ahead:"))
		check(tx.First(second, second.ID).Error)
		check(tx.Save(second).Error)
		// A soft delete carries no version.
		check(tx.AutoMigrate(&Letter{}))
		letter := &Letter{}
		check(tx.Create(letter).Error)
		one(tx, "SELECT versioned('letters', 'version', 'strict')")
		check(tx.SavePoint("b").Error)
		err = tx.Delete(letter).Error
		expect("strict", strings.HasPrefix(fmt.Sprint(err), "version required:"))
		check(tx.RollbackTo("b").Error)
		one(tx, "SELECT versioned('letters', 'version', 'strict',"+
			" 'except=deleted_at')")
		check(tx.Delete(letter).Error)
		// on_stale=ignore is an error all the same.
		one(tx, "SELECT versioned('accounts','version','auto','on_stale=ignore')")
		second.Version--
		expect("ignore", errors.Is(tx.Save(second).Error, errGone))
		return errors.New(undo)
	}
	expect(undo, db.Transaction(work).Error() == undo)
}

func one(on *gorm.DB, text string) (out string) {
	check(on.Raw(text).Row().Scan(&out))
	return
}

func main() {
	sql.Register("interlock", &sqlite3.SQLiteDriver{ //:load
		Extensions: []string{"./build/interlock"}}) //:load
	db, err := gorm.Open( //:load
		sqlite.New(sqlite.Config{DriverName: "interlock", DSN: "shop.db"}), //:load
		&gorm.Config{Logger: logger.Discard})
	check(err)
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
	others(db)

	check(db.Transaction(func(tx *gorm.DB) error { //:lock
		var token, turn int64
		check(tx.Raw("SELECT row_xact_lock('accounts', 1), write_turn()"). //:lock
											Row().Scan(&token, &turn)) //:lock
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
		Balance string
		Version int64 `gorm:"not null;default:1"`
	}
	check(db.AutoMigrate(&Account{}))
	if one(db, "SELECT status FROM versioned_tables") != "ok" {
		panic("AutoMigrate that changes nothing")
	}
	check(db.Table("accounts").AutoMigrate(&account{}))
	fmt.Println("rebuilt", one(db, "SELECT status FROM versioned_tables"))
	one(db, "SELECT versioned_repair()")
	fmt.Println("repaired", one(db, "SELECT status FROM versioned_tables"), row())
	fmt.Println("done")
}
