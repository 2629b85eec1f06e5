// SPDX-License-Identifier: 0BSD

// Package goose has the lock that keeps two programs from migrating a database
// by pressly/goose at the same time.
package goose

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"
)

// DefaultKey is the name of the advisory lock.
const DefaultKey = "goose"

// Locker is a lock.SessionLocker of goose, for goose.WithSessionLocker. The
// operating system releases the lock when its process ends, in any way. The
// connections need Interlock: call interlock.Register before sql.Open.
type Locker struct {
	// Key is another name for the lock, if it is not empty.
	Key string
}

func (l Locker) key() string {
	if l.Key == "" {
		return DefaultKey
	}
	return l.Key
}

// SessionLock waits for the lock until ctx ends. After an error the connection
// does not hold it.
func (l Locker) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var token int64
	err := conn.QueryRowContext(ctx, "SELECT advisory_lock(?, wait_at_most(?))",
		l.key(), limit(ctx)).Scan(&token)
	if err == nil {
		return nil
	}
	// If ctx has ended when the lock had just been granted, it is held.
	var released bool
	conn.QueryRowContext(context.Background(), "SELECT advisory_unlock(?)",
		l.key()).Scan(&released)
	return fmt.Errorf("interlock: lock %q: %w", l.key(), err)
}

// limit is for wait_at_most: a second after the end of ctx. The driver ends the
// wait when ctx ends, except that SQLite forgets an interrupt that comes just
// before the statement begins.
func limit(ctx context.Context) int64 {
	end, ends := ctx.Deadline()
	if !ends {
		return -1
	}
	ms := time.Until(end).Milliseconds() + 1000
	return max(0, min(ms, math.MaxInt32))
}

// SessionUnlock releases the lock.
func (l Locker) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	var released bool
	err := conn.QueryRowContext(ctx, "SELECT advisory_unlock(?)", l.key()).
		Scan(&released)
	if err == nil && !released {
		err = errors.New("not locked")
	}
	if err != nil {
		return fmt.Errorf("interlock: unlock %q: %w", l.key(), err)
	}
	return nil
}
