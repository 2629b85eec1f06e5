# SPDX-License-Identifier: 0BSD
import aiosqlite, asyncio, sqlite3

async def main():
    db = await aiosqlite.connect("shop.db", isolation_level=None)
    await db.enable_load_extension(True)  #:load
    await db.load_extension("./build/interlock")  #:load

    async def one(sql, *values):
        async with db.execute(sql, values) as cursor:
            return (await cursor.fetchone())[0]

    print("loaded", await one("SELECT interlock_version() <> ''"))
    print("~version", f"aiosqlite {aiosqlite.__version__},"
          f" SQLite {sqlite3.sqlite_version}")
    print("declared", await one("SELECT versioned('account')"))
    try:
        await db.execute("UPDATE account SET balance = 0, version = 0")
    except aiosqlite.IntegrityError as e:
        print(f"~stale {type(e).__name__}: {e}")
        print("stale", int(
            e.sqlite_errorcode == 1811  #:stale
        ))
    print("locked", await one("SELECT advisory_lock('invoices') > 0"))
    print("tried", await one("SELECT try_advisory_lock('printer')"))
    print("number", await one("SELECT try_advisory_lock(?)", 42))
    print("jobs", await one(
        "SELECT skip_locked('job', 2, 'state = ''ready''', 'id')"))
    print("leased", await one(
        "SELECT lease_acquire('report', 'client', 60000) > 0"))
    try:
        await db.execute("UPDATE report SET text = 'late', token = 1")
    except aiosqlite.IntegrityError as e:
        print(f"~fenced {type(e).__name__}: {e}")
        print("fenced", int(
            str(e).startswith("fenced:")  #:fenced
        ))
    await one("SELECT advisory_lock_timeout(50)")
    try:
        await one("SELECT advisory_lock('printer')")
    except aiosqlite.OperationalError as e:
        print(f"~timeout {type(e).__name__}: {e}")
        print("timeout", int(
            e.sqlite_errorcode == 773  #:timeout
        ))
    await one("SELECT advisory_lock_timeout(-1)")
    print("waited", await one("SELECT advisory_lock('scanner') > 0"))
    async with db.execute("SELECT key, mode FROM advisory_locks WHERE session"
                          " = advisory_session() AND kind = 'advisory'"
                          " ORDER BY key") as rows:
        async for row in rows:
            print("held", *row)
    await db.close()
    print("done")

asyncio.run(main())
