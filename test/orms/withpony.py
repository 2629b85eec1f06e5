# SPDX-License-Identifier: 0BSD
import os, sqlite3, threading
import pony
from pony.orm import (Database, OptimisticCheckError, PrimaryKey, Required,
                      db_session)
from steps import other

db = Database()

class Account(db.Entity):
    _table_ = "account"
    id = PrimaryKey(int, auto=True)
    balance = Required(int)
    version = Required(int, default=1)

    def before_update(self):
        self.version += 1

@db.on_connect(provider="sqlite")  #:load
def load(db, connection):  #:load
    connection.enable_load_extension(True)  #:load
    connection.load_extension("./build/interlock")  #:load
    connection.enable_load_extension(False)

db.bind("sqlite", os.path.abspath("shop.db"), create_db=True)
db.generate_mapping(create_tables=True)

@db_session
def one(sql):
    return db.execute(sql).fetchone()[0]

one("SELECT versioned('account')")
loaded = []
threads = [threading.Thread(target=lambda: loaded.append(
    one("SELECT interlock_version()"))) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("loaded", int(len(loaded) == 3))
print("~version", f"Pony {pony.__version__}, SQLite {sqlite3.sqlite_version}")
print("status", one("SELECT status FROM versioned_tables"))

def change(balance):
    with db_session:
        a = Account[1]
        a.balance = balance
    return a.version

with db_session:
    Account(balance=100)
print("saved", change(90), other("SELECT balance, version FROM account"))
print("again", change(80), other("SELECT balance, version FROM account"))

# Another thread saves between the read and the commit of this one.
def refused(meanwhile):
    try:
        with db_session:
            a = Account[1]
            a.balance -= 2
            meanwhile()
    except OptimisticCheckError as e:  #:stale
        return f"{type(e).__name__}: {e}"

def inThread():
    t = threading.Thread(target=change, args=[79])
    t.start()
    t.join()
text = refused(inThread)
print("~stale", text)
print("stale", int(text is not None))
print("unknown", int(refused(
    lambda: other("UPDATE account SET balance = 50")) is not None))

with db_session:
    db.execute("SELECT row_xact_lock('account', 1), write_turn()")  #:lock
    c = Account[1]
    print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
    c.balance += 1
print("free", other("-load", "SELECT try_row_lock('account', 1)"))
with db_session:
    Account.get_for_update(id=1)
    held = other("-load", "BEGIN IMMEDIATE")
print("~lock", "locks the whole file" if "database is locked" in held
      else "no effect")
print("done")
