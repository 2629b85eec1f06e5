# SPDX-License-Identifier: 0BSD
# adaptersqlalchemy.py: see adapters.py.
import sys
import interlock.sqlalchemy
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import InvalidRequestError, OperationalError
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

if __name__ == "__main__":
    import adapters
    refused(select(Counter).with_for_update())
    refused(select(select(Counter.id).with_for_update().subquery()))
    if len(sys.argv) == 1:
        assert held("SELECT advisory_lock('left')") == 1
        assert held("SELECT 1") == 0
    adapters.main(sys.modules[__name__])
