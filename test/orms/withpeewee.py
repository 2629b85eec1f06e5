# SPDX-License-Identifier: 0BSD
import sqlite3, threading
import peewee
from peewee import AutoField, IntegerField, IntegrityError, Model
from playhouse.migrate import SqliteMigrator, migrate
from playhouse.pool import PooledSqliteDatabase
from steps import for_update, other

db = PooledSqliteDatabase("shop.db")
db.load_extension("./build/interlock")  #:load

class Versioned(Model):
    version = IntegerField(default=1)

    class Meta:
        database = db

    def save(self, force_insert=False, only=None):
        if force_insert or self._pk is None:
            return super().save(force_insert, only)
        if self.version is None:
            raise ValueError("the version of an object that is saved must be"
                             " read")
        self.version += 1
        if only is not None:
            only = [*only, Versioned.version]
        try:
            rows = super().save(force_insert, only)
        except BaseException:
            self.version -= 1
            raise
        if not rows:
            raise IntegrityError("stale write: the row is gone")
        return rows

class Account(Versioned):
    id = AutoField()
    balance = IntegerField()

def one(sql):
    return db.execute_sql(sql).fetchone()[0]

db.create_tables([Account])
one("SELECT versioned('account')")
loaded = []
threads = [threading.Thread(target=lambda: loaded.append(
    one("SELECT interlock_version()"))) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("loaded", int(len(loaded) == 3))
print("~version", f"Peewee {peewee.__version__},"
      f" SQLite {sqlite3.sqlite_version}")
print("status", one("SELECT status FROM versioned_tables"))

a = Account.create(balance=100)
a.balance = 90
a.save()
print("saved", a.version, other("SELECT balance, version FROM account"))
a.balance = 80
a.save(only=[Account.balance])
print("again", a.version, other("SELECT balance, version FROM account"))

b = Account.get_by_id(1)
a.balance -= 1
a.save()
b.balance -= 2
try:
    b.save()
except IntegrityError as e:
    print(f"~stale {type(e).__name__}: {e}")
    print("stale", int(
        str(e).startswith("stale write:")  #:stale
    ))
# No part of it can be saved, either; nor an object without its version.
new = Account(id=1, balance=2)
less = Account.select(Account.id, Account.balance).get()
less.balance = 3
for stale in b, new, less:
    for only in None, [Account.balance], ["balance"]:
        try:
            stale.save(only=only)
        except (IntegrityError, ValueError):
            continue
        raise AssertionError("an object that is stale was saved")

other("UPDATE account SET balance = 50")
a.balance -= 1
try:
    a.save()
except IntegrityError as e:
    print("unknown", int(str(e).startswith("stale write:")))

with db.atomic():
    db.execute_sql(  #:lock
        "SELECT row_xact_lock('account', 1), write_turn()").fetchall()  #:lock
    c = Account.get_by_id(1)
    print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
    c.balance += 1
    c.save()
print("free", other("-load", "SELECT try_row_lock('account', 1)"))
try:
    list(Account.select().for_update())
    print("~lock silently left out")
except ValueError as e:
    print(f"~lock ValueError: {e}")

migrate(SqliteMigrator(db).drop_not_null("account", "balance"))
print("rebuilt", one("SELECT status FROM versioned_tables"))
one("SELECT versioned_repair()")
print("repaired", one("SELECT status FROM versioned_tables"),
      other("SELECT balance, version FROM account"))
print("done")
