// SPDX-License-Identifier: 0BSD

package interlock

import (
	"context"
	"database/sql/driver"
	"fmt"
	"io"

	"github.com/mattn/go-sqlite3"
)

// Driver is the driver mattn/go-sqlite3 with Interlock in each connection, for
// sql.Register("interlock", &interlock.Driver{}).
//
// With it database/sql keeps a connection when the context of a transaction
// ends; with the driver alone it closes the connection, and the locks of the
// session are lost. Until that transaction is rolled back, statements on the
// connection are refused, since they would be rolled back with it. A connection
// that goes back to the pool gives back what it holds.
type Driver struct {
	sqlite3.SQLiteDriver
}

// Open opens a connection.
func (d *Driver) Open(name string) (driver.Conn, error) {
	if err := Register(); err != nil {
		return nil, err
	}
	conn, err := d.SQLiteDriver.Open(name)
	if err != nil {
		return nil, err
	}
	return &Conn{SQLiteConn: conn.(*sqlite3.SQLiteConn)}, nil
}

// Conn is a connection of Driver: what the function of sql.Conn.Raw gets.
type Conn struct {
	*sqlite3.SQLiteConn
	begun context.Context // of the open transaction of database/sql, or nil
}

// ResetSession is what database/sql calls before it gives out a connection of
// the pool. Together with IsValid it makes database/sql keep the connection.
func (c *Conn) ResetSession(context.Context) error { return nil }

// IsValid is what database/sql calls when a connection goes back to the pool:
// it releases the session's locks. If it cannot, or a transaction is open,
// database/sql closes the connection.
func (c *Conn) IsValid() bool {
	if !c.AutoCommit() {
		return false
	}
	_, err := c.Exec("SELECT interlock_reset()", nil)
	return err == nil
}

// BeginTx begins a transaction.
func (c *Conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.ended(ctx); err != nil {
		return nil, err
	}
	tx, err := c.SQLiteConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.begun = ctx
	return &transaction{tx, c}, nil
}

type transaction struct {
	driver.Tx
	conn *Conn
}

func (t *transaction) Commit() error {
	t.conn.begun = nil
	return t.Tx.Commit()
}

func (t *transaction) Rollback() error {
	t.conn.begun = nil
	return t.Tx.Rollback()
}

// ended is the error of a statement that must not begin: its context has ended,
// or that of a transaction which database/sql has not rolled back yet.
func (c *Conn) ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.begun != nil && c.begun.Err() != nil {
		return fmt.Errorf("interlock: the transaction is being rolled back: %w",
			c.begun.Err())
	}
	return nil
}

// ExecContext runs statements. Of each it fetches the first row only.
func (c *Conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.ended(ctx); err != nil {
		return nil, err
	}
	return c.SQLiteConn.ExecContext(ctx, query, args)
}

// QueryContext runs a statement.
func (c *Conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.ended(ctx); err != nil {
		return nil, err
	}
	return c.SQLiteConn.QueryContext(ctx, query, args)
}

// PrepareContext prepares a statement.
func (c *Conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.SQLiteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return &Stmt{s.(*sqlite3.SQLiteStmt), c}, nil
}

// Stmt is a prepared statement of Conn.
type Stmt struct {
	*sqlite3.SQLiteStmt
	conn *Conn
}

// QueryContext runs the statement.
func (s *Stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.conn.ended(ctx); err != nil {
		return nil, err
	}
	return s.SQLiteStmt.QueryContext(ctx, args)
}

// ExecContext runs the statement; a SELECT to its last row. The driver's own
// would leave a SELECT active after its first row, and while a statement is
// active SQLite does not forget an interrupt: after a context has ended a wait,
// each statement of the connection would fail.
func (s *Stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if !s.Readonly() {
		if err := s.conn.ended(ctx); err != nil {
			return nil, err
		}
		return s.SQLiteStmt.ExecContext(ctx, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	row := make([]driver.Value, len(rows.Columns()))
	for err == nil {
		err = rows.Next(row)
	}
	if closed := rows.Close(); err == io.EOF {
		err = closed
	}
	return driver.RowsAffected(0), err
}
