# SPDX-License-Identifier: 0BSD
# adaptersqlalchemy.py: see adapters.py.
import os, sys, threading
import interlock.sqlalchemy
from sqlalchemy import create_engine, func, pool, select, text
from sqlalchemy.exc import (ArgumentError, InvalidRequestError,
                            OperationalError)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class Counter(Base):
    __tablename__ = "counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]

engine = create_engine("sqlite:///shop.db", connect_args={"timeout": 60})
interlock.sqlalchemy.use(engine)  #:adapter

def add(pk):
    with Session(engine) as session:
        counter = session.scalars(
            select(Counter).filter_by(id=pk).with_for_update()).one()
        counter.n += 1
        session.commit()

def create():
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all([Counter(n=0) for _ in range(3)])
        session.commit()

def total():
    with Session(engine) as session:
        return session.scalar(select(func.sum(Counter.n)))

def nowait(pk):
    try:
        with Session(engine) as session:
            return session.scalars(select(Counter).filter_by(id=pk)
                                   .with_for_update(nowait=True)).one()
    except OperationalError as e:
        return str(e.orig)

def skip():
    with Session(engine) as session:
        return [c.id for c in session.scalars(
            select(Counter).order_by(Counter.id.desc()).limit(1)
            .with_for_update(skip_locked=True))]

def part():
    with Session(engine) as session:
        return [c.id for c in session.scalars(
            select(Counter).order_by(Counter.id).limit(2).offset(1)
            .with_for_update())]

# What cannot be locked is refused.
def refused(statement):
    try:
        with engine.connect() as connection:
            connection.execute(statement)
    except InvalidRequestError:
        return
    raise AssertionError(statement)

# What a connection still holds when it goes back to the pool is released.
def held(sql):
    with engine.connect() as connection, engine.connect() as other:
        connection.scalar(text(sql))
        return other.scalar(text("SELECT count(*) FROM advisory_locks"))

def use(url="sqlite:///shop.db", **options):
    engine = create_engine(url, **options)
    interlock.sqlalchemy.use(engine)
    interlock.sqlalchemy.use(engine)  # changes nothing
    return engine

def lock_one(bind, pk=1):
    with Session(bind) as session:
        return session.scalars(select(Counter).filter_by(id=pk)
                               .with_for_update()).one().id

# A query takes no further connection of the pool of its session, which may be
# the last one: with the pool's shortest wait, that would fail.
def any_pool():
    for kind in (pool.QueuePool, pool.NullPool, pool.StaticPool,
                 pool.SingletonThreadPool, pool.AssertionPool):
        options = {"poolclass": kind}
        if kind is pool.QueuePool:
            options.update(pool_size=1, max_overflow=0, pool_timeout=0.1)
        one = use(**options)
        for _ in range(2):
            assert lock_one(one) == 1, kind
        one.dispose()
        assert lock_one(one) == 1, kind
        one.dispose()
    for url in "sqlite://", "sqlite:///file:c?mode=memory&cache=shared&uri=true":
        memory = use(url, poolclass=pool.StaticPool)
        Base.metadata.create_all(memory)
        with Session(memory) as session:
            session.add(Counter(n=0))
            session.commit()
        assert lock_one(memory) == 1, url
        memory.dispose()

# As many threads as the pool has connections, all at once.
def whole_pool():
    full = use(pool_size=4, max_overflow=0, connect_args={"timeout": 60})
    have = threading.Barrier(4)
    found = []

    def work():
        with Session(full) as session:
            session.connection()
            have.wait(60)
            found.append(session.scalars(
                select(Counter).filter_by(id=1).with_for_update()).one().id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 4, found
    full.dispose()
    engine.dispose()
    assert opened() == 0, opened()

def opened():
    """How often this process has shop.db open."""
    path = os.path.realpath("shop.db")
    return sum(os.path.realpath("/proc/self/fd/" + fd) == path
               for fd in os.listdir("/proc/self/fd"))

# What is not this engine's is as it was.
def others():
    plain = create_engine("sqlite:///plain.db")
    Base.metadata.create_all(plain)
    with Session(binds={Counter: plain}) as session:
        assert not session.scalars(select(Counter).with_for_update()).all()
    with Session(binds={Counter: engine}) as session:
        session.scalars(select(Counter).filter_by(id=2).with_for_update()).one()
        assert not free(2)
    assert free(2)
    optioned = engine.execution_options(some="option")
    with Session(optioned) as session:
        session.scalars(select(Counter).filter_by(id=2).with_for_update()).one()
        assert not free(2)

def free(pk):
    with engine.connect() as other:
        return other.scalar(text("SELECT try_row_xact_lock('counter', %d)" % pk))

def autocommit():
    with engine.connect().execution_options(
            isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    # Its connection is in the pool: a transaction of it begins, and ends.
    with Session(engine) as session:
        session.add(Counter(n=1))
        session.flush()
        session.rollback()
    assert total() == 100

# In WAL mode a transaction that has read first is refused, unless it began with
# the write lock.
def read_first():
    wal = use("sqlite:///wal.db")
    with wal.connect().execution_options(
            isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL").close()
    Base.metadata.create_all(wal)
    with Session(wal) as session:
        session.add(Counter(n=0))
        session.commit()

    def attempt(bind, **options):
        with Session(bind) as session:
            session.connection(execution_options=options)
            session.scalar(select(func.count()).select_from(Counter))
            try:
                session.get(Counter, 1, with_for_update=True).n += 1
                session.commit()
                return "written"
            except OperationalError as e:
                return "lock wait refused" in str(e) and "refused"

    assert attempt(wal) == "refused"
    assert attempt(wal.execution_options(
        transaction_mode="IMMEDIATE")) == "written"
    assert attempt(wal, transaction_mode="IMMEDIATE") == "written"
    assert attempt(wal) == "refused"
    assert attempt(create_engine_as_driver()) == "written"
    try:
        attempt(wal.execution_options(transaction_mode="WRONG"))
        raise AssertionError("WRONG")
    except ArgumentError as e:
        assert "allowed is DEFERRED, IMMEDIATE, EXCLUSIVE" in str(e), e
    wal.dispose()

def create_engine_as_driver():
    return use("sqlite:///wal.db",
               connect_args={"isolation_level": "IMMEDIATE"})

if __name__ == "__main__":
    import adapters
    refused(select(Counter).with_for_update())
    refused(select(select(Counter.id).with_for_update().subquery()))
    if len(sys.argv) == 1:
        assert held("SELECT advisory_lock('left')") == 1
        assert held("SELECT 1") == 0
    adapters.main(sys.modules[__name__])
    if len(sys.argv) == 1:
        any_pool()
        whole_pool()
        others()
        autocommit()
        read_first()
