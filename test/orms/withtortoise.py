# SPDX-License-Identifier: 0BSD
import asyncio, os, subprocess, sys
from importlib.metadata import version
import sqlite3

os.symlink(os.path.join(os.environ["SRC"], "tortoiseshop"), "shop")
sys.dont_write_bytecode = True
sys.path[:0] = [os.getcwd()]

from steps import adapter, beside, for_update, other
from tortoise import Tortoise
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction
from shop.config import CONFIG
from shop.models import Account

def migrate(*target):
    subprocess.run([sys.executable, "-m", "tortoise", "-c",
                    "shop.config.CONFIG", "migrate", *target],
                   check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "PYTHONPATH": ":".join(sys.path)})

async def one(sql):
    rows = await Tortoise.get_connection("default").execute_query_dict(sql)
    return list(rows[0].values())[0]

async def main():
    migrate("shop", "0002_versioned")
    await Tortoise.init(config=CONFIG)
    print("loaded", int(await one("SELECT interlock_version()") != ""))
    print("~version", f"Tortoise {version('tortoise-orm')},"
          f" SQLite {sqlite3.sqlite_version}")
    print("status", await one("SELECT status FROM versioned_tables"))

    a = await Account.create(balance=100)
    a.balance = 90
    await a.save()
    print("saved", a.version, other("SELECT balance, version FROM account"))
    a.balance = 80
    await a.save(update_fields=["balance"])
    print("again", a.version, other("SELECT balance, version FROM account"))

    b = await Account.get(id=1)
    a.balance -= 1
    await a.save()
    b.balance -= 2
    try:
        await b.save()
    except IntegrityError as e:
        print(f"~stale {type(e).__name__}: {e}")
        print("stale", int(
            str(e).startswith("stale write:")  #:stale
        ))
    # No part of it can be saved, either; nor an object without its version.
    new = Account(id=1, balance=2)
    less = await Account.all().only("id", "balance").get(id=1)
    less.balance = 3
    some = ["balance"]
    for save in (lambda: b.save(update_fields=some), b.save,
                 lambda: new.save(update_fields=some),
                 lambda: new.save(force_update=True),
                 lambda: less.save(update_fields=some), less.save):
        try:
            await save()
        except (IntegrityError, AttributeError):
            continue
        raise AssertionError("an object that is stale was saved")

    other("UPDATE account SET balance = 50")
    try:
        await a.save()
    except IntegrityError as e:
        print("unknown", int(str(e).startswith("stale write:")))

    c = await Account.get(id=1)
    async with in_transaction() as db:  #:lock
        await db.execute_query(  #:lock
            "SELECT row_xact_lock('account', 1), write_turn()")  #:lock
        c = await Account.get(id=1, using_db=db)  #:lock
        print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
        c.balance += 1
        await c.save(using_db=db)  #:lock
    print("free", other("-load", "SELECT try_row_lock('account', 1)"))

    print("~lock", for_update(Account.filter(id=1).select_for_update().sql()))

    migrate()
    print("rebuilt", await one("SELECT status FROM versioned_tables"))
    await one("SELECT versioned_repair()")
    print("repaired", await one("SELECT status FROM versioned_tables"),
          other("SELECT balance, version FROM account"))
    adapter("tortoise")
    beside("server", "servertortoise.py")
    print("done")

async def run():
    try:
        await main()
    finally:
        await Tortoise.close_connections()

asyncio.run(run())
