// SPDX-License-Identifier: 0BSD

// Package migrate has a driver of golang-migrate for SQLite whose lock other
// programs respect. The lock of golang-migrate's own driver is a variable of
// the process.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	neturl "net/url"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	"github.com/golang-migrate/migrate/v4/database/sqlite3"
	mattn "github.com/mattn/go-sqlite3"
	interlock "@MODULE@"
)

// Key is the name of the advisory lock.
const Key = "golang-migrate"

// Timeout is how long a driver that is opened later waits for the lock. It must
// be less than LockTimeout of migrate.Migrate, which takes no notice of a lock
// that it gets later, and never gives it back.
var Timeout = migrate.DefaultLockTimeout - time.Second

func init() {
	database.Register("interlock", &driver{})
}

// driver is the driver of golang-migrate, and a connection for the lock.
type driver struct {
	database.Driver
	locks *sql.DB // has this one connection
	conn  *sql.Conn
}

// WithInstance is sqlite3.WithInstance of golang-migrate with that lock, which
// the operating system releases when its process ends, in any way. It registers
// Interlock for connections that are opened later; if migrations need it, call
// interlock.Register before sql.Open.
func WithInstance(db *sql.DB, config *sqlite3.Config) (database.Driver, error) {
	d, err := open(db)
	if err != nil {
		return nil, err
	}
	// It makes a table, which two programs must not do at the same time.
	if err = d.take(); err == nil {
		d.Driver, err = sqlite3.WithInstance(db, config)
		err = errors.Join(err, d.release())
	}
	if err != nil {
		return nil, errors.Join(err, d.closeLock())
	}
	return d, nil
}

// Open is for URLs as sqlite3:// of golang-migrate takes them, with interlock://
// in its place. The connections have Interlock.
func (*driver) Open(url string) (database.Driver, error) {
	if err := interlock.Register(); err != nil {
		return nil, err
	}
	parsed, err := neturl.Parse(url)
	if err != nil {
		return nil, err
	}
	config := sqlite3.Config{
		DatabaseName:    parsed.Path,
		MigrationsTable: parsed.Query().Get("x-migrations-table"),
	}
	if text := parsed.Query().Get("x-no-tx-wrap"); text != "" {
		config.NoTxWrap, err = strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("x-no-tx-wrap: %w", err)
		}
	}
	file := strings.TrimPrefix(
		migrate.FilterCustomQuery(parsed).String(), "interlock://")
	db, err := sql.Open("sqlite3", file)
	if err != nil {
		return nil, err
	}
	d, err := WithInstance(db, &config)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return d, nil
}

// open opens the connection for the lock. It is none of the pool db, which may
// be limited to the one that migrates.
func open(db *sql.DB) (*driver, error) {
	if err := interlock.Register(); err != nil {
		return nil, err
	}
	var file string
	err := db.QueryRow("SELECT file FROM pragma_database_list" +
		" WHERE name = 'main'").Scan(&file)
	if err != nil {
		return nil, err
	}
	if file == "" {
		return nil, errors.New("interlock: migrate.WithInstance needs a" +
			" database in a file, which other programs can open")
	}
	name := neturl.URL{Scheme: "file", Path: file, OmitHost: true,
		RawQuery: "mode=rw"}
	locks, err := sql.Open("sqlite3", name.String())
	if err != nil {
		return nil, err
	}
	d := &driver{locks: locks}
	d.conn, err = locks.Conn(context.Background())
	if err == nil {
		_, err = d.conn.ExecContext(context.Background(),
			"SELECT advisory_lock_timeout(?)", Timeout.Milliseconds())
	}
	if err != nil {
		return nil, errors.Join(err, d.closeLock())
	}
	return d, nil
}

// take waits for Timeout. If the lock is still held then, the error is
// database.ErrLocked, and says which process holds it.
func (d *driver) take() error {
	_, err := d.conn.ExecContext(context.Background(),
		"SELECT advisory_lock(?)", Key)
	var reason mattn.Error
	if errors.As(err, &reason) && reason.Code == mattn.ErrBusy {
		err = fmt.Errorf("%w: %v", database.ErrLocked, err)
	}
	return err
}

func (d *driver) release() error {
	var released bool
	err := d.conn.QueryRowContext(context.Background(),
		"SELECT advisory_unlock(?)", Key).Scan(&released)
	if err == nil && !released {
		err = database.ErrNotLocked
	}
	return err
}

func (d *driver) closeLock() error {
	if d.conn == nil {
		return d.locks.Close()
	}
	return errors.Join(d.conn.Close(), d.locks.Close())
}

// Lock takes the lock, and that of golang-migrate's driver, which tells two
// goroutines apart.
func (d *driver) Lock() error {
	if err := d.Driver.Lock(); err != nil {
		return err
	}
	if err := d.take(); err != nil {
		return errors.Join(err, d.Driver.Unlock())
	}
	return nil
}

// Unlock releases both.
func (d *driver) Unlock() error {
	return errors.Join(d.release(), d.Driver.Unlock())
}

// Close closes the database, as golang-migrate's driver does.
func (d *driver) Close() error {
	return errors.Join(d.closeLock(), d.Driver.Close())
}
