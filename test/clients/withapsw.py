# SPDX-License-Identifier: 0BSD
import apsw

db = apsw.Connection("shop.db")
db.enableloadextension(True)  #:load
db.loadextension("./build/interlock")  #:load

def one(sql, *values):
    return db.cursor().execute(sql, values).fetchone()[0]

print("loaded", one("SELECT interlock_version() <> ''"))
print("~version", f"apsw {apsw.apswversion()},"
      f" SQLite {apsw.sqlitelibversion()}")
print("declared", one("SELECT versioned('account')"))
try:
    db.cursor().execute("UPDATE account SET balance = 0, version = 0")
except apsw.ConstraintError as e:
    print(f"~stale {type(e).__name__}: {e}")
    print("stale", int(
        e.extendedresult == 1811  #:stale
    ))
print("locked", one("SELECT advisory_lock('invoices') > 0"))
print("tried", one("SELECT try_advisory_lock('printer')"))
print("number", one("SELECT try_advisory_lock(?)", 42))
print("jobs", one("SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"))
print("leased", one("SELECT lease_acquire('report', 'client', 60000) > 0"))
try:
    db.cursor().execute("UPDATE report SET text = 'late', token = 1")
except apsw.ConstraintError as e:
    print(f"~fenced {type(e).__name__}: {e}")
    print("fenced", int(
        str(e).startswith("ConstraintError: fenced:")  #:fenced
    ))
one("SELECT advisory_lock_timeout(50)")
try:
    one("SELECT advisory_lock('printer')")
except apsw.BusyError as e:
    print(f"~timeout {type(e).__name__}: {e}")
    print("timeout", int(
        e.extendedresult == 773  #:timeout
    ))
one("SELECT advisory_lock_timeout(-1)")
print("waited", one("SELECT advisory_lock('scanner') > 0"))
for row in db.cursor().execute(
        "SELECT key, mode FROM advisory_locks WHERE session ="
        " advisory_session() AND kind = 'advisory' ORDER BY key"):
    print("held", *row)
db.close()
print("done")
