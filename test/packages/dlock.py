# SPDX-License-Identifier: 0BSD
# dlock.py VERSION FOLDER: sqlalchemy-dlock with the locks of interlock.dlock,
# which must be in that folder.
import asyncio, importlib.metadata, sqlite3, sys, time

import interlock.dlock, interlock.sqlalchemy
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy_dlock import create_async_sadlock, create_sadlock
from sqlalchemy_dlock.exceptions import SqlAlchemyDLockDatabaseError

assert interlock.__file__.startswith(sys.argv[2]), interlock.__file__
engine = create_engine("sqlite:///shop.db")
interlock.dlock.use(engine)  #:load
db, other = engine.connect(), engine.connect()

def one(sql, connection=db):
    return connection.execute(text(sql)).scalar()

def seen():
    """What another connection sees of the locks of this program. Another
    program holds some, too."""
    return other.execute(text(
        "SELECT key, mode, scope FROM advisory_locks WHERE kind = 'advisory'"
        " AND session NOT IN (SELECT session FROM advisory_locks"
        " WHERE key = 'printer')")).fetchall()

def error(call, *args, **kwargs):
    try:
        return call(*args, **kwargs)
    except Exception as e:
        return type(e)

version = one("SELECT interlock_version()").split()[0]
print("loaded", int(version == sys.argv[1]))
print("~version", "sqlalchemy-dlock", importlib.metadata.version(
    "sqlalchemy-dlock") + ", SQLite", sqlite3.sqlite_version)
print("declared", one("SELECT versioned('account')"))
try:
    one("UPDATE account SET balance = 0, version = 0")
except IntegrityError as e:
    print("stale", int(str(e.orig).startswith("stale write: account.version")))
db.rollback()

with create_sadlock(db, "invoices") as lock:
    assert lock.locked and lock.actual_key == "invoices"
    print("locked", int(seen() == [("invoices", "exclusive", "session")]))
    assert not create_sadlock(other, "invoices").acquire(block=False)
    assert error(create_sadlock(other, "invoices",
                                contextual_timeout=0.1).__enter__) \
        is TimeoutError
    assert error(lock.acquire) is ValueError
assert not lock.locked and seen() == []
assert error(lock.release) is ValueError

# The timeout is that of the call, whatever the connection's own is.
one("SELECT advisory_lock_timeout(1)")
printer = create_sadlock(db, "printer")
print("tried", int(printer.acquire(block=False)))
assert not printer.acquire(timeout=0) and not printer.acquire(timeout=-1)
begun = time.monotonic()
assert not printer.acquire(timeout=0.25) and not printer.locked
assert time.monotonic() - begun >= 0.25
# A negative timeout does not wait, and takes what is free.
free = create_sadlock(db, "free")
assert free.acquire(timeout=-1)
free.close()
# Nor is it refused, as a wait would be, in a transaction that has written.
db.execute(text("UPDATE account SET balance = 0"))
assert not printer.acquire(timeout=0)
assert error(printer.acquire, timeout=1) is OperationalError
db.rollback()

# A key is what other programs see, of its own type.
for key in 7, "7", b"\x00x", bytearray(b"b"):
    with create_sadlock(db, key):
        assert [row[0] for row in seen()] == [bytes(key) if isinstance(
            key, bytearray) else key]
with create_sadlock(db, 3.5, convert=round):
    assert seen()[0][0] == 4
assert error(create_sadlock, db, 3.5) is TypeError
assert error(create_sadlock, db, None) is TypeError

with create_sadlock(db, "s", shared=True), \
        create_sadlock(other, "s", shared=True):
    assert [row[1] for row in seen()] == ["shared", "shared"]
    assert not create_sadlock(other, "printer", shared=True).acquire(False)

# Given back by something else: release() says so.
with Session(engine) as session:
    lock = create_sadlock(session, "session")
    assert lock.acquire()
    session.execute(text("SELECT advisory_unlock_all()"))
    assert error(lock.release) is SqlAlchemyDLockDatabaseError

# What a connection still holds when it goes back to the pool is released.
with engine.connect() as connection:
    assert create_sadlock(connection, "left").acquire()
    assert seen() == [("left", "exclusive", "session")]
assert seen() == []

# A deadlock is no timeout. Two connections, each in a thread of its own.
def crossed(first, second, barrier):
    with engine.connect() as connection:
        with create_sadlock(connection, first):
            barrier.wait(60)
            return error(create_sadlock(connection, second).acquire)

def deadlock():
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier
    barrier = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(crossed, *keys, barrier)
                for keys in (("x", "y"), ("y", "x"))]
        return {end.result(60) for end in ends}
assert deadlock() == {OperationalError, True}
assert seen() == []

# Until the transaction ends, with the adapter that begins transactions.
begins = create_engine("sqlite:///shop.db")
interlock.sqlalchemy.use(begins)
with Session(begins) as session:
    with create_sadlock(session, "t", xact=True):
        pass
    assert seen() == [("t", "exclusive", "transaction")]
    session.commit()
assert seen() == []

async def asynchronous():
    engine = create_async_engine("sqlite+aiosqlite:///shop.db")
    interlock.dlock.use(engine)
    async with engine.connect() as a, AsyncSession(engine) as b:
        async with create_async_sadlock(a, "async") as lock:
            assert seen() == [("async", "exclusive", "session")]
            waits = create_async_sadlock(b, "async")
            assert not await waits.acquire(block=False)
            assert not await waits.acquire(timeout=0.1)
            # The event loop goes on while a task waits.
            task = asyncio.create_task(waits.acquire())
            while one("SELECT count(*) FROM advisory_waits", other) == 0:
                await asyncio.sleep(0)
            await lock.release()
            assert await asyncio.wait_for(task, 60)
        await waits.aclose()
        assert not waits.locked and seen() == []
        assert await create_async_sadlock(a, "left").acquire()
    assert seen() == []
    await engine.dispose()
asyncio.run(asynchronous())

with create_sadlock(db, "scanner"):
    print("waited 1")
print("done")
