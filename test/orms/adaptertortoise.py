# SPDX-License-Identifier: 0BSD
# adaptertortoise.py: see adapters.py; and what a wait leaves that is cancelled
# or too long.
import asyncio, contextvars, sqlite3, sys
import interlock
from tortoise import Tortoise, fields, models
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

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

async def query(sql, *values):
    db = Tortoise.get_connection("default")
    return (await db.execute_query(sql, list(values)))[1][0][0]

async def waits_():
    await Named.create(name="a", n=1)
    refused = ("select_for_update(): the key of named is not read;"
               " allowed is an only() that has name")
    for how in {}, {"nowait": True}, {"skip_locked": True}:
        assert await only_(**how) == refused
    async with in_transaction():
        (row,) = await Named.all().only("name").select_for_update()
    assert row.name == "a"

    other = sqlite3.connect("shop.db", isolation_level=None)
    interlock.load(other)
    def call(sql):
        return other.execute("SELECT " + sql).fetchone()[0]
    async def waiting(task):
        while not task.done() and not call("count(*) FROM advisory_waits"):
            await asyncio.sleep(0)
        assert not task.done()
    limit = await query("SELECT advisory_lock_timeout()")
    assert limit == 60000, limit

    # Cancelled while the row is locked, and while the turn is taken.
    for take, give in (
            ("row_lock('counter', 3)", "row_unlock('counter', 3)"),
            ("write_turn()", "write_turn_end()")):
        call(take)
        task = asyncio.create_task(add_(3))
        await waiting(task)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=20)
        assert done and task.cancelled(), "the wait goes on"
        assert (await asyncio.wait_for(Counter.get(id=1), 20)).id == 1
        call(give)
        left = call("count(*) FROM advisory_locks")
        assert left == 0, left

    call("row_lock('counter', 3)")
    await query("SELECT advisory_lock_timeout(50)")
    try:
        await add_(3)
        raise AssertionError("a locked row was changed")
    except OperationalError as e:
        assert str(e).startswith("lock timeout: counter(3)"), e
    await query("SELECT advisory_lock_timeout(60000)")
    call("row_unlock('counter', 3)")
    assert call("count(*) FROM advisory_locks") == 0
    other.close()

    # Cancelled at each step of a transaction.
    for turns in range(60):
        task = asyncio.create_task(add_(1))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        await query("SELECT 1")
        db = Tortoise.get_connection("default")
        assert not db._connection.in_transaction
    await asyncio.wait_for(add_(1), 20)

    # COMMIT fails, since another program reads: nothing is left of it.
    await query("PRAGMA journal_mode = DELETE")
    await query("PRAGMA busy_timeout = 0")
    reader = sqlite3.connect("shop.db", isolation_level=None)
    total = reader.execute("SELECT sum(n) FROM counter").fetchone()
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM counter").fetchall()
    try:
        await add_(1)
        raise AssertionError("COMMIT did not fail")
    except sqlite3.OperationalError as e:
        assert str(e) == "database is locked", e
    reader.execute("COMMIT")
    await query("SELECT 1 FROM counter")
    async with in_transaction():
        await Counter.get(id=1)
    assert reader.execute("SELECT sum(n) FROM counter").fetchone() == total
    reader.close()

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
    finally:
        run(Tortoise.close_connections())
