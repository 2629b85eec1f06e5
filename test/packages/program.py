# SPDX-License-Identifier: 0BSD
# program.py VERSION FOLDER: the module interlock, which must be in that folder.
import platform, sqlite3, sys

import interlock

assert interlock.__file__.startswith(sys.argv[2]), interlock.__file__
db = sqlite3.connect("shop.db", isolation_level=None)
if __name__ == "__main__":
    interlock.load(db)  #:load

def one(sql):
    return db.execute(sql).fetchone()[0]

version = one("SELECT interlock_version()").split()[0]
print("loaded", int(version == sys.argv[1]))
print("~version", f"Python {platform.python_version()},"
      f" SQLite {sqlite3.sqlite_version}")
print("declared", one("SELECT versioned('account')"))
try:
    db.execute("UPDATE account SET balance = 0, version = 0")
except sqlite3.IntegrityError as e:
    print("stale", int(str(e).startswith("stale write: account.version")))
print("locked", one("SELECT advisory_lock('invoices') > 0"))
print("tried", one("SELECT try_advisory_lock('printer')"))
print("waited", one("SELECT advisory_lock('scanner') > 0"))
db.close()

# A connection without the method, as in a Python that loads no extension. After
# enable() it has the functions.
class Plain(sqlite3.Connection):
    @property
    def enable_load_extension(self):
        raise AttributeError("enable_load_extension")

enabled = __name__ != "__main__"
try:
    interlock.load(sqlite3.connect(":memory:", factory=Plain))
    assert enabled
except RuntimeError as e:
    assert not enabled and "interlock.enable()" in str(e), e
print("done")
