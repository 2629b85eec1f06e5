# SPDX-License-Identifier: 0BSD
import asyncio, sqlalchemy, sqlite3
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Integer, event, select, text
from sqlalchemy.ext.asyncio import (AsyncSession, async_sessionmaker,
                                    create_async_engine)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
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

engine = create_async_engine("sqlite+aiosqlite:///shop.db")

@event.listens_for(engine.sync_engine, "connect")  #:load
def load(connection, record):  #:load
    connection.run_async(lambda db: db.enable_load_extension(True))  #:load
    library = "./build/interlock"  #:load
    connection.run_async(lambda db: db.load_extension(library))  #:load
    connection.run_async(lambda db: db.enable_load_extension(False))
    connection.isolation_level = None

@event.listens_for(engine.sync_engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN")

def rebuild(db):
    operations = Operations(MigrationContext.configure(db))
    with operations.batch_alter_table("account") as batch:
        batch.alter_column("balance", existing_type=Integer, nullable=True)

async def one(sql):
    async with engine.begin() as db:
        return await db.scalar(text(sql))

async def main():
    async with engine.begin() as db:
        await db.run_sync(Base.metadata.create_all)
    await one("SELECT versioned('account')")
    connections = [await engine.connect() for _ in range(3)]
    print("loaded", int(all([
        await c.scalar(text("SELECT interlock_version()"))
        for c in connections])))
    for c in connections:
        await c.close()
    print("~version", f"SQLAlchemy {sqlalchemy.__version__},"
          f" SQLite {sqlite3.sqlite_version}")
    print("status", await one("SELECT status FROM versioned_tables"))

    session = async_sessionmaker(engine, expire_on_commit=False)
    async with session() as first, session() as second:
        a = Account(balance=100)
        first.add(a)
        await first.commit()
        a.balance = 90
        await first.commit()
        print("saved", a.version, other("SELECT balance, version FROM account"))
        a.balance = 80
        await first.commit()
        print("again", a.version, other("SELECT balance, version FROM account"))

        b = await second.get(Account, 1)
        await second.commit()
        a.balance -= 1
        await first.commit()
        b.balance -= 2
        try:
            await second.commit()
        except StaleDataError as e:  #:stale
            print(f"~stale {type(e).__name__}: {e}")
            print("stale 1")

        other("UPDATE account SET balance = 50")
        a.balance -= 1
        try:
            await first.commit()
        except StaleDataError:
            print("unknown 1")

    async with session() as third:
        await third.execute(text(  #:lock
            "SELECT row_xact_lock('account', 1), write_turn()"))  #:lock
        c = await third.get(Account, 1)
        print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
        c.balance += 1
        await third.commit()
    print("free", other("-load", "SELECT try_row_lock('account', 1)"))
    print("~lock", for_update(str(
        select(Account).with_for_update().compile(engine.sync_engine))))

    async with engine.begin() as db:
        await db.run_sync(rebuild)
    print("rebuilt", await one("SELECT status FROM versioned_tables"))
    await one("SELECT versioned_repair()")
    print("repaired", await one("SELECT status FROM versioned_tables"),
          other("SELECT balance, version FROM account"))
    await engine.dispose()
    adapter("sqlalchemyasync")
    print("done")

asyncio.run(main())
