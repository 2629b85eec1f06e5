# SPDX-License-Identifier: 0BSD
import sqlite3, sqlmodel
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Integer, event, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, create_engine, select
from sqlalchemy.orm.exc import StaleDataError
from steps import for_update, other

counter = Column(Integer, nullable=False)

class Account(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    balance: int
    version: int | None = Field(default=None, sa_column=counter)
    __mapper_args__ = {"version_id_col": counter}

engine = create_engine("sqlite:///shop.db")

@event.listens_for(engine, "connect")  #:load
def load(connection, record):  #:load
    connection.enable_load_extension(True)  #:load
    connection.load_extension("./build/interlock")  #:load
    connection.enable_load_extension(False)
    connection.isolation_level = None  # sqlite3 would begin too late

@event.listens_for(engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN")

def one(sql):
    with engine.begin() as db:
        return db.scalar(text(sql))

SQLModel.metadata.create_all(engine)
one("SELECT versioned('account')")
connections = [engine.connect() for _ in range(3)]
print("loaded", int(all(c.scalar(text("SELECT interlock_version()"))
                        for c in connections)))
for c in connections:
    c.close()
print("~version", f"SQLModel {sqlmodel.__version__},"
      f" SQLite {sqlite3.sqlite_version}")
print("status", one("SELECT status FROM versioned_tables"))

first = Session(engine, expire_on_commit=False)
a = Account(balance=100)
first.add(a)
first.commit()
a.balance = 90
first.commit()
print("saved", a.version, other("SELECT balance, version FROM account"))
a.balance = 80
first.commit()
print("again", a.version, other("SELECT balance, version FROM account"))

second = Session(engine, expire_on_commit=False)
b = second.get(Account, 1)
second.commit()
a.balance -= 1
first.commit()
b.balance -= 2
try:
    second.commit()
except StaleDataError as e:  #:stale
    print(f"~stale {type(e).__name__}: {e}")
    print("stale 1")
second.close()

other("UPDATE account SET balance = 50")
a.balance -= 1
try:
    first.commit()
except StaleDataError:
    print("unknown 1")
first.close()

# What does not go through the unit of work.
try:
    with engine.begin() as db:
        db.execute(text("UPDATE account SET balance = 0, version = 3"))
except IntegrityError as e:
    assert str(e.orig).startswith("stale write:")

with Session(engine) as session:
    session.execute(text(  #:lock
        "SELECT row_xact_lock('account', 1), write_turn()"))  #:lock
    c = session.get(Account, 1)
    print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
    c.balance += 1
    session.commit()
print("free", other("-load", "SELECT try_row_lock('account', 1)"))
print("~lock", for_update(str(
    select(Account).with_for_update().compile(engine))))

with engine.begin() as db:
    operations = Operations(MigrationContext.configure(db))
    with operations.batch_alter_table("account") as batch:
        batch.alter_column("balance", existing_type=Integer, nullable=True)
print("rebuilt", one("SELECT status FROM versioned_tables"))
one("SELECT versioned_repair()")
print("repaired", one("SELECT status FROM versioned_tables"),
      other("SELECT balance, version FROM account"))
print("done")
