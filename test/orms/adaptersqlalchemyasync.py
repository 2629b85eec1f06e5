# SPDX-License-Identifier: 0BSD
# adaptersqlalchemyasync.py: see adapters.py.
import asyncio, sys
import interlock.sqlalchemy
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Counter(Base):
    __tablename__ = "counter"
    id: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int]

engine = create_async_engine("sqlite+aiosqlite:///shop.db",
                             connect_args={"timeout": 60})
interlock.sqlalchemy.use(engine)  #:adapter
run = asyncio.new_event_loop().run_until_complete

def locks(change):
    """A function that runs a coroutine with a session."""
    async def within(*args):
        async with AsyncSession(engine) as session:
            return await change(session, *args)
    return lambda *args: run(within(*args))

@locks
async def add(session, pk):
    counter = (await session.scalars(
        select(Counter).filter_by(id=pk).with_for_update())).one()
    counter.n += 1
    await session.commit()

@locks
async def create(session):
    await (await session.connection()).run_sync(Base.metadata.create_all)
    session.add_all([Counter(n=0) for _ in range(3)])
    await session.commit()

@locks
async def total(session):
    return await session.scalar(select(func.sum(Counter.n)))

@locks
async def nowait(session, pk):
    try:
        return (await session.scalars(select(Counter).filter_by(id=pk)
                                      .with_for_update(nowait=True))).one()
    except OperationalError as e:
        return str(e.orig)

@locks
async def skip(session):
    return [c.id for c in await session.scalars(
        select(Counter).order_by(Counter.id.desc()).limit(1)
        .with_for_update(skip_locked=True))]

@locks
async def part(session):
    return [c.id for c in await session.scalars(
        select(Counter).order_by(Counter.id).limit(2).offset(1)
        .with_for_update())]

# A task that is cancelled while it waits ends at once: before the holder frees
# the row. It then neither waits nor holds it.
async def cancelled():
    async def take():
        async with AsyncSession(engine) as session:
            await session.get(Counter, 1, with_for_update=True)

    async def waits(holder):
        return await holder.scalar(text("SELECT count(*) FROM advisory_waits"))

    async with AsyncSession(engine) as holder:
        await holder.get(Counter, 1, with_for_update=True)
        task = asyncio.create_task(take())
        while not await waits(holder):
            assert not task.done()
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=60)
        assert done and task.cancelled(), task
        assert await waits(holder) == 0
    await asyncio.wait_for(take(), 60)
    await engine.dispose()

if __name__ == "__main__":
    import adapters
    adapters.main(sys.modules[__name__])
    if len(sys.argv) == 1:
        run(cancelled())
