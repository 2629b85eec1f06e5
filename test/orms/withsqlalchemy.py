# SPDX-License-Identifier: 0BSD
import sqlalchemy, sqlite3
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Integer, create_engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.exc import StaleDataError
from steps import adapter, for_update, other

class Base(DeclarativeBase):
    pass

class Account(Base):
    __tablename__ = "account"
    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}

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

Base.metadata.create_all(engine)
one("SELECT versioned('account')")
connections = [engine.connect() for _ in range(3)]
print("loaded", int(all(c.scalar(text("SELECT interlock_version()"))
                        for c in connections)))
for c in connections:
    c.close()
print("~version", f"SQLAlchemy {sqlalchemy.__version__},"
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
adapter("sqlalchemy")
print("done")
