# SPDX-License-Identifier: 0BSD
# A plugin of pytest for filelock's own tests: its lock for readers and writers
# is an advisory lock of Interlock in the file, where it was a transaction.
import os
import sqlite3

from filelock import Timeout, _read_write
from interlock_report import used


class Connection(sqlite3.Connection):
    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.enable_load_extension(True)
        self.load_extension(os.environ["INTERLOCK"])
        self.enable_load_extension(False)

    def rollback(self):
        self.execute("SELECT advisory_unlock_all()").fetchone()


class Sqlite:
    """The module sqlite3, whose connections have Interlock."""

    def __getattr__(self, name):
        return getattr(sqlite3, name)

    def connect(self, *args, **kw):
        return sqlite3.connect(*args, factory=Connection, **kw)


def begin(self, mode, timeout, *, blocking, start_time):
    waited = _read_write.time.perf_counter() - start_time
    limit = _read_write.timeout_for_sqlite(
        timeout, blocking=blocking, already_waited=waited)
    if limit == _read_write._MAX_SQLITE_TIMEOUT_MS:
        limit = -1
    suffix = "" if mode == "write" else "_shared"
    try:
        self._con.execute("SELECT advisory_lock%s('file', wait_at_most(%d))"
                          % (suffix, limit)).close()
    except sqlite3.Error as e:
        if str(e).startswith("lock timeout:"):
            raise Timeout(self.lock_file) from None
        raise
    used("locks")


_read_write.sqlite3 = Sqlite()
_read_write.ReadWriteLock._configure_and_begin = begin
