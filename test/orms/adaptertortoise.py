# SPDX-License-Identifier: 0BSD
# adaptertortoise.py: see adapters.py; and what a wait leaves that is cancelled
# or too long.
import asyncio, contextvars, gc, sqlite3, sys, threading, warnings
import aiosqlite, interlock
from tortoise import Tortoise, fields, models
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError, TransactionManagementError
from tortoise.expressions import F
from tortoise.transactions import in_transaction
from tortoise.warnings import TortoiseLoopSwitchWarning

class Counter(models.Model):
    id = fields.IntField(primary_key=True)
    n = fields.IntField()

    class Meta:
        table = "counter"

class Named(models.Model):
    name = fields.CharField(primary_key=True, max_length=9)
    n = fields.IntField()

    class Meta:
        table = "named"

CONFIG = {
    "connections": {"default": {
        "engine": "interlock.tortoise.sqlite",  #:adapter
        "credentials": {"file_path": "shop.db", "busy_timeout": 60000,
                        "lock_timeout": 60000}}},
    "apps": {"shop": {
        "models": ["__main__"], "default_connection": "default"}},
}

async def add_(pk):
    async with in_transaction():
        counter = await Counter.filter(id=pk).select_for_update().get()
        counter.n += 1
        await counter.save()

async def create_():
    await Tortoise.generate_schemas()
    await Counter.bulk_create([Counter(n=0) for _ in range(3)])

async def total_():
    return sum(c.n for c in await Counter.all())

async def nowait_(pk):
    try:
        async with in_transaction():
            return await Counter.filter(id=pk).select_for_update(
                nowait=True).get()
    except OperationalError as e:
        return str(e)

async def skip_():
    async with in_transaction():
        return [c.id for c in await Counter.all().order_by("-id").limit(1)
                .select_for_update(skip_locked=True)]

async def part_():
    async with in_transaction():
        return [c.id for c in await Counter.all().order_by("id").offset(1)
                .limit(2).select_for_update()]

# SQLite takes "name" for a text if a query has no such column.
async def only_(**how):
    try:
        async with in_transaction():
            return await Named.all().only("n").select_for_update(**how)
    except OperationalError as e:
        return str(e)

class Other:
    """Another program."""
    def __init__(self):
        self.db = sqlite3.connect("shop.db", isolation_level=None)
        interlock.load(self.db)

    def call(self, sql):
        return self.db.execute("SELECT " + sql).fetchone()[0]

    async def waiting(self, tasks=1):
        waits = "count(DISTINCT waiter) FROM advisory_waits"
        while self.call(waits) < tasks:
            await asyncio.sleep(0)
        assert self.call(waits) == tasks

    async def total(self):
        """The sum of all counters, when nothing is left of any transaction."""
        db = Tortoise.get_connection("default")
        for pool in db._pool, db._writer:
            while pool._returns:
                await asyncio.sleep(0)
            assert len(pool._free) == len(pool._open)
            assert not any(c.in_transaction for c in pool._free)
        assert db._pool._slots._value == 5 and db._writer._slots._value == 1
        left = self.call("count(*) FROM advisory_locks")
        assert left == 0, left
        return self.call("sum(n) FROM counter")

async def soon(awaitable):
    return await asyncio.wait_for(awaitable, 20)

async def threads_end(count):
    while threading.active_count() > count:
        gc.collect()     # a client that is dropped can be part of a cycle
        await asyncio.sleep(0.001)

async def read_and_add(pk):
    async with in_transaction():
        counter = await Counter.get(id=pk)
        counter.n += 1
        await counter.save()

async def add_outside(pk):
    await Counter.filter(id=pk).update(n=F("n") + 1)

async def key_is_read():
    await Named.create(name="a", n=1)
    refused = ("select_for_update(): the key of named is not read;"
               " allowed is an only() that has name")
    for how in {}, {"nowait": True}, {"skip_locked": True}:
        assert await only_(**how) == refused
    async with in_transaction():
        (row,) = await Named.all().only("name").select_for_update()
    assert row.name == "a"

# While a task waits for a row of another program, the others go on.
async def others_go_on(other):
    other.call("row_lock('counter', 3)")
    before = other.call("sum(n) FROM counter")
    waiter = asyncio.create_task(add_(3))
    await other.waiting()
    await soon(Counter.get(id=1))
    await soon(read_and_add(1))
    await soon(add_(2))
    await soon(add_outside(2))
    await soon(Counter.bulk_create([Counter(id=9, n=0)]))
    await soon(Counter.filter(id=9).delete())
    assert not waiter.done()
    other.call("row_unlock('counter', 3)")
    await soon(waiter)
    assert await other.total() == before + 4

# While a transaction writes, the others read, and what writes waits for it.
async def writers_wait(other):
    before = await other.total()
    end = asyncio.Event()
    async def write():
        async with in_transaction():
            await add_outside(1)
            await end.wait()
    first = asyncio.create_task(write())
    while not other.call("count(*) FROM advisory_locks"):
        await asyncio.sleep(0)
    rest = [asyncio.create_task(add(pk)) for pk in (1, 2)
            for add in (add_outside, read_and_add, add_)]
    await other.waiting(5)
    assert (await soon(Counter.get(id=1))).id == 1
    assert not any(task.done() for task in rest)
    end.set()
    await soon(asyncio.gather(first, *rest))
    assert await other.total() == before + 7

# Two transactions that read first, and then write.
async def crowd(other):
    before = await other.total()
    await soon(asyncio.gather(
        *(add(1) for _ in range(10) for add in (read_and_add, add_, add_outside))))
    assert await other.total() == before + 30

# A pool has five connections, opened when they are needed.
async def pool_is_bounded(other):
    db = Tortoise.get_connection("default")
    await db.close()
    for _ in range(3):
        await add_(1)
    assert len(db._pool._open) == 1
    other.call("row_lock('counter', 3)")
    tasks = [asyncio.create_task(add_(3)) for _ in range(12)]
    await other.waiting(5)
    await asyncio.sleep(0.1)
    await other.waiting(5)
    for task in tasks[:3] + tasks[-3:]:
        task.cancel()
    await other.waiting(5)
    other.call("row_unlock('counter', 3)")
    before = other.call("sum(n) FROM counter")
    ended = await soon(asyncio.gather(*tasks, return_exceptions=True))
    assert sum(e is None for e in ended) == 6, ended
    assert await other.total() == before + 6
    assert len(db._pool._open) == 5

# A connection comes back without the locks and the timeout that SQL has set.
async def comes_back_clean(other):
    async with in_transaction() as db:
        assert (await db.execute_query("SELECT advisory_lock_timeout(7)"))[1][
            0][0] == 60000
        await db.execute_query("SELECT row_lock('counter', 2)")
        assert other.call("try_row_lock('counter', 2)") == 0
    await other.total()
    async with in_transaction() as db:
        assert (await db.execute_query("SELECT advisory_lock_timeout()"))[1][
            0][0] == 60000
        try:
            await db.execute_query("this is no SQL")
        except OperationalError:
            await db.rollback()

# A lock that SQL takes can wait, too; one after a read cannot.
async def locks_by_sql(other):
    other.call("row_lock('counter', 3)")
    async def lock():
        async with in_transaction() as db:
            await db.execute_query("SELECT row_xact_lock('counter', column1)"
                                   " FROM (VALUES(2), (3))")
            await add_outside(3)
    waiter = asyncio.create_task(lock())
    await other.waiting()
    async with in_transaction():
        await Counter.get(id=1)
        await Counter.filter(id=1).select_for_update().get()
        try:
            await Counter.filter(id=3).select_for_update().get()
            raise AssertionError("a locked row was waited for after a read")
        except OperationalError as e:
            assert str(e).startswith("lock wait refused:"), e
    waiter.cancel()
    await asyncio.wait({waiter}, timeout=20)
    assert waiter.cancelled()
    other.call("row_unlock('counter', 3)")
    await other.total()

async def nested(other):
    before = await other.total()
    async with in_transaction():
        async with in_transaction():
            await add_outside(1)
        try:
            async with in_transaction() as inner:
                await Counter.filter(id=2).select_for_update().get()
                await Counter.filter(id=2).using_db(inner).update(n=1000)
                raise KeyError
        except KeyError:
            pass
        await add_outside(1)
        new = await Counter.create(n=1)
        assert await Counter.filter(id=new.id).select_for_update().get()
    assert await other.total() == before + 3

# What goes on after its transaction has ended cannot get into another one.
async def ended(other):
    before = await other.total()
    go = asyncio.Event()
    async def late():
        await go.wait()
        await add_outside(1)
    for error in None, KeyError:
        go.clear()
        try:
            async with in_transaction():
                await add_outside(1)
                task = asyncio.create_task(late())
                await asyncio.sleep(0)
                if error:
                    raise error
        except KeyError:
            pass
        async with in_transaction():
            go.set()
            await asyncio.wait({task})
        assert isinstance(task.exception(), TransactionManagementError)
    # One that waits for another statement of the transaction.
    async def lock():
        await Counter.filter(id=3).select_for_update().get()
    other.call("row_lock('counter', 3)")
    go.clear()
    try:
        async with in_transaction():
            tasks = [asyncio.create_task(c) for c in (lock(), late())]
            await other.waiting()
            go.set()
            await asyncio.sleep(0.01)
            raise KeyError
    except KeyError:
        await asyncio.wait(tasks, timeout=20)
        first, second = (task.exception() for task in tasks)
        assert str(first).startswith("lock wait cancelled:"), first
        assert isinstance(second, TransactionManagementError), second
    other.call("row_unlock('counter', 3)")
    assert await other.total() == before + 1

# Cancelled while the row is locked, and while the turn is taken.
async def cancelled_waiting(other):
    for take, give in (
            ("row_lock('counter', 3)", "row_unlock('counter', 3)"),
            ("write_turn()", "write_turn_end()")):
        other.call(take)
        for add in add_, read_and_add, add_outside:
            if "row" in take and add != add_:
                continue
            task = asyncio.create_task(add(3))
            await other.waiting()
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=20)
            assert done and task.cancelled(), "the wait goes on"
            assert (await soon(Counter.get(id=1))).id == 1
        other.call(give)
        await other.total()

async def too_long(other):
    other.call("row_lock('counter', 3)")
    try:
        async with in_transaction() as db:
            await db.execute_query("SELECT advisory_lock_timeout(50)")
            await Counter.filter(id=3).select_for_update().get()
        raise AssertionError("a locked row was changed")
    except OperationalError as e:
        assert str(e).startswith("lock timeout: counter(3)"), e
    other.call("row_unlock('counter', 3)")
    await other.total()

# Cancelled at each call of a connection, while it runs and when it has ended; or
# closed meanwhile.
async def ended_at_each_step(other):
    execute = aiosqlite.Connection._execute
    async def ended_at(step, how, add):
        db = Tortoise.get_connection("default")
        await db.close()
        pools = db._pool, db._writer
        threads = threading.active_count()
        before = await other.total()
        calls = 0
        closing = set()
        def close():
            closing.add(asyncio.create_task(db.close()))
        async def counted(*args, **kwargs):
            nonlocal calls
            calls += 1
            mine = calls == step
            if mine and how != "late":
                asyncio.get_running_loop().call_soon(
                    task.cancel if how == "cancel" else close)
            try:
                return await execute(*args, **kwargs)
            finally:
                if mine and how == "late":
                    task.cancel()
        aiosqlite.Connection._execute = counted
        try:
            task = asyncio.create_task(add(1))
            await asyncio.wait({task}, timeout=20)
            if closing:
                await soon(*closing)
                assert not any(pool._open for pool in pools)
        finally:
            aiosqlite.Connection._execute = execute
        assert task.done(), "it goes on"
        completed = not task.cancelled() and not task.exception()
        if how != "close" and not task.cancelled():
            task.result()
        after = await other.total()
        assert after == before + 1 or after == before and not completed, (
            step, how, add)
        await db.close()
        await soon(threads_end(threads))
        await soon(add(1))
        assert await other.total() == after + 1
        assert await soon(db.execute_query("SELECT interlock_version()"))
        return calls >= step
    for add in add_, read_and_add, add_outside:
        for how in "cancel", "late", "close":
            step = 1
            while await ended_at(step, how, add):
                step += 1
            assert step > 12, step

# Closed while transactions wait and write: they end, and nothing is left. The
# next statement opens the connection again.
async def closed(other):
    threads = threading.active_count()
    db = Tortoise.get_connection("default")
    before = await other.total()
    other.call("row_lock('counter', 3)")
    async def write():
        async with in_transaction():
            await add_outside(1)
            await asyncio.sleep(60)
            await add_outside(1)
    tasks = [asyncio.create_task(add_(3)) for _ in range(8)]
    await other.waiting(5)
    await soon(db.close())
    ends = await soon(asyncio.gather(*tasks, return_exceptions=True))
    assert all(isinstance(e, Exception) for e in ends), ends
    assert sum(str(e) == "closed before the transaction began"
               for e in ends) == 3, ends
    other.call("row_unlock('counter', 3)")
    task = asyncio.create_task(write())
    while not other.call("count(*) FROM advisory_locks"):
        await asyncio.sleep(0)
    await soon(db.close())
    assert threading.active_count() < threads
    assert await other.total() == before
    await soon(add_(1))
    task.cancel()
    await asyncio.wait({task})
    assert await other.total() == before + 1

# A thread with a loop and a context of its own; a loop after another one.
def loops():
    async def crowd():
        async with TortoiseContext() as context:
            await context.init(config=CONFIG)
            await asyncio.gather(*(add_(1) for _ in range(20)))
    async def crowd_again():
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", TortoiseLoopSwitchWarning)
            await add_(1)
            assert [w.category for w in warned].count(
                TortoiseLoopSwitchWarning) == 1
        await close()
    async def close():
        await Tortoise.get_connection("default").close()
    # One that has only had a transaction.
    third = TortoiseContext()
    async def first():
        with third:
            await third.init(config=CONFIG)
            await read_and_add(1)
        # Here no context is the current one.
        await third.db().execute_query(
            "UPDATE counter SET n = n + 1 WHERE id = 1")
    async def second():
        with third, warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", TortoiseLoopSwitchWarning)
            await read_and_add(1)
            assert warned
            await third.close_connections()
    other = Other()
    before = run(other.total())
    gc.collect()
    count = threading.active_count()
    asyncio.run(first())
    asyncio.run(second())
    run(soon(threads_end(count)))
    threads = [threading.Thread(target=asyncio.run, args=(crowd(),))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    run(add_(1))
    for thread in threads:
        thread.join()
    run(add_(1))
    run(close())
    context.run(asyncio.run, crowd_again())
    assert other.call("sum(n) FROM counter") == before + 46
    assert other.call("count(*) FROM advisory_locks") == 0
    other.db.close()

# A database in memory has one connection, which each transaction has for
# itself.
async def in_memory():
    config = {**CONFIG, "connections": {"default": {
        "engine": "interlock.tortoise.sqlite",
        "credentials": {"file_path": ":memory:"}}}}
    async with TortoiseContext() as context:
        await context.init(config=config)
        await context.generate_schemas()
        await Counter.bulk_create([Counter(n=0) for _ in range(3)])
        await asyncio.gather(*(add(1) for _ in range(5)
                               for add in (add_, read_and_add, add_outside)))
        try:
            async with in_transaction():
                await add_outside(2)
                raise KeyError
        except KeyError:
            pass
        for turns in range(40):
            task = asyncio.create_task(add_(3))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
        await soon(add_(2))
        assert (await Counter.get(id=1)).n == 15
        assert (await Counter.get(id=2)).n == 1

# COMMIT fails, since another program reads, or is cancelled while it waits for
# that program: nothing is left of it.
async def commit_fails():
    await Tortoise.close_connections()
    credentials = {"file_path": "shop.db", "busy_timeout": 400,
                   "journal_mode": "DELETE"}
    await Tortoise.init(config={**CONFIG, "connections": {"default": {
        "engine": "interlock.tortoise.sqlite", "credentials": credentials}}})
    await Counter.get(id=1)
    await add_(1)
    other = Other()
    before = await other.total()
    other.db.execute("BEGIN")
    other.db.execute("SELECT * FROM counter").fetchall()
    for add, error in ((add_, sqlite3.OperationalError),
                       (add_outside, OperationalError)):
        try:
            await add(1)
            raise AssertionError("COMMIT did not fail")
        except error as e:
            assert str(e) == "database is locked", e
    for add in add_, add_outside:
        task = asyncio.create_task(add(1))
        while not other.call("count(*) FROM advisory_locks WHERE kind='turn'"):
            await asyncio.sleep(0)
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await other.total()
    other.db.execute("COMMIT")
    assert await other.total() == before
    await add_(1)
    assert await other.total() == before + 1
    other.db.close()

async def waits_():
    other = Other()
    await key_is_read()
    for test in (others_go_on, writers_wait, crowd, pool_is_bounded,
                 comes_back_clean, locks_by_sql, nested, ended,
                 cancelled_waiting, too_long, ended_at_each_step, closed):
        await test(other)
    other.db.close()
    await in_memory()

# The same calls as those of the other adapters.
loop, context = asyncio.new_event_loop(), contextvars.copy_context()

def run(coroutine):
    return loop.run_until_complete(
        loop.create_task(coroutine, context=context))

def called(function):
    return lambda *args: run(function(*args))

add, create, total = called(add_), called(create_), called(total_)
nowait, skip, part = called(nowait_), called(skip_), called(part_)

if __name__ == "__main__":
    import adapters
    run(Tortoise.init(config=CONFIG))
    try:
        adapters.main(sys.modules[__name__])
        if len(sys.argv) == 1:
            run(waits_())
            loops()
            run(commit_fails())
    finally:
        run(Tortoise.close_connections())
