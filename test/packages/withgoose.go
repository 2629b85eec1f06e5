// SPDX-License-Identifier: 0BSD
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os/exec"
	"testing/fstest"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	interlock "interlock.example/sqlite"
	lock "interlock.example/sqlite/goose" //:load
)

const (
	name = "goose"
	key  = lock.DefaultKey
)

var refused = context.DeadlineExceeded

func provider(db *sql.DB) (*goose.Provider, error) {
	files := fstest.MapFS{}
	for i, step := range steps {
		files[fmt.Sprintf("%02d_step.sql", i+1)] = &fstest.MapFile{
			Data: []byte("-- +goose Up\n" + step)}
	}
	return goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithSessionLocker(lock.Locker{})) //:load
}

func migrate(file string, wait time.Duration) error {
	if err := interlock.Register(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		return err
	}
	defer db.Close()
	p, err := provider(db)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	_, err = p.Up(ctx)
	return err
}

// What the killed process did of the second step is rolled back, and the second
// process makes it.
func goOn(second *exec.Cmd) {
	if seen := waits(1); seen != "step" {
		log.Fatal("the second process waits for ", seen)
	}
	one("SELECT advisory_unlock('step')")
	if err := second.Wait(); err != nil {
		log.Fatal("second process: ", err, ": ", second.Stderr)
	}
}

// A context that has ended before the call does not wait, and the lock is not
// held after it.
func ended() error {
	ctx := context.Background()
	other, err := sql.Open("sqlite3", "shop.db")
	if err != nil {
		return err
	}
	defer other.Close()
	holder, err := other.Conn(ctx)
	if err != nil {
		return err
	}
	defer holder.Close()
	waiter, err := other.Conn(ctx)
	if err != nil {
		return err
	}
	defer waiter.Close()
	if err = (lock.Locker{}).SessionLock(ctx, holder); err != nil {
		return err
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	err = lock.Locker{}.SessionLock(over, waiter)
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("a context that was cancelled: %w", err)
	}
	return lock.Locker{}.SessionUnlock(ctx, holder)
}

// In this process, whose pool has one connection.
func here() error {
	if err := ended(); err != nil {
		return err
	}
	p, err := provider(db)
	if err == nil {
		_, err = p.Up(context.Background())
	}
	return err
}
