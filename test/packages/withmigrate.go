// SPDX-License-Identifier: 0BSD
package main

import (
	"errors"
	"fmt"
	"log"
	"os/exec"
	"testing/fstest"
	"time"

	migrator "github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/database/sqlite3"
	"github.com/golang-migrate/migrate/v4/source"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	lock "interlock.example/sqlite/migrate" //:load
)

const (
	name = "golang-migrate"
	key  = lock.Key
)

var refused = database.ErrLocked

func files() (source.Driver, error) {
	files := fstest.MapFS{}
	for i, step := range steps {
		files[fmt.Sprintf("%02d_step.up.sql", i+1)] = &fstest.MapFile{
			Data: []byte(step)}
	}
	return iofs.New(files, ".")
}

func migrate(file string, wait time.Duration) error {
	lock.Timeout = wait
	from, err := files()
	if err != nil {
		return err
	}
	m, err := migrator.NewWithSourceInstance("iofs", from, "interlock://"+file)
	if err != nil {
		return err
	}
	m.LockTimeout = wait + time.Minute
	err = m.Up()
	if errors.Is(err, migrator.ErrNoChange) {
		err = nil
	}
	failed, closing := m.Close()
	return errors.Join(err, failed, closing)
}

// In this process, whose pool has one connection.
func instance() (*migrator.Migrate, error) {
	from, err := files()
	if err != nil {
		return nil, err
	}
	driver, err := lock.WithInstance(db, &sqlite3.Config{}) //:load
	if err != nil {
		return nil, err
	}
	return migrator.NewWithInstance("iofs", from, "sqlite3", driver)
}

// golang-migrate has noted that the second step began. The second process gets
// the lock, finds that, and makes no step until somebody has decided.
func goOn(second *exec.Cmd) {
	second.Wait()
	m, err := instance()
	if err != nil {
		log.Fatal(err)
	}
	version, dirty, err := m.Version()
	if err != nil || version != 2 || !dirty || made() != "one" ||
		second.ProcessState.ExitCode() != 1 {
		log.Fatal("version ", version, ", dirty ", dirty, ", ", err, ": ",
			second.Stderr)
	}
	one("SELECT advisory_unlock('step')")
	if err = errors.Join(m.Force(1), m.Up()); err != nil {
		log.Fatal(err)
	}
}

func here() error {
	m, err := instance()
	if err == nil {
		err = m.Up()
	}
	return err
}
