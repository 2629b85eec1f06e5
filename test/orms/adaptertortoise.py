# SPDX-License-Identifier: 0BSD
# adaptertortoise.py: see adapters.py.
import asyncio, contextvars, sys
from tortoise import Tortoise, fields, models
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

class Counter(models.Model):
    id = fields.IntField(primary_key=True)
    n = fields.IntField()

    class Meta:
        table = "counter"

CONFIG = {
    "connections": {"default": {
        "engine": "interlock.tortoise.sqlite",  #:adapter
        "credentials": {"file_path": "shop.db", "busy_timeout": 60000}}},
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
    finally:
        run(Tortoise.close_connections())
