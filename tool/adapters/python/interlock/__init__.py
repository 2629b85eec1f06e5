# SPDX-License-Identifier: 0BSD
"""Interlock for Python: loads the extension, holds locks for blocks, and locks
rows for ORMs.

interlock.load(db)   into a connection of the module sqlite3
interlock.load_async(db)
                     into one of aiosqlite
interlock.enable()   into every connection of that module that is opened later,
                     also in a Python that loads no extensions
interlock.path()     the file that both load
interlock.locked(db, key), interlock.row_locked(db, table, key...)
                     a lock for a block; interlock.LockTimeout if not in time
interlock.tortoise, interlock.django, interlock.sqlalchemy
                     SELECT ... FOR UPDATE of these ORMs
interlock.dlock      locks for the package sqlalchemy-dlock
"""
import os

from .locks import LockTimeout, locked, row_locked

__all__ = ["LockTimeout", "enable", "load", "load_async", "locked", "path",
           "row_locked"]


def path():
    """The extension: $INTERLOCK; else interlock.so beside this module, if it is
    there; else the one that `make install` has put where libraries are found.
    """
    beside = os.path.join(os.path.dirname(__file__), "interlock.so")
    return os.environ.get("INTERLOCK") or (
        beside if os.path.exists(beside) else "interlock")


VERSION = "SELECT interlock_version()"


def load(db):
    """Loads Interlock into a connection of sqlite3, of a driver like it, or of
    SQLAlchemy's for aiosqlite. Does nothing if the connection has it already,
    as after enable().
    """
    if hasattr(db, "run_async"):
        db.run_async(load_async)
        return
    try:
        db.execute(VERSION).fetchone()
        return
    except Exception as e:
        refuse_but_missing(e)
    if not hasattr(db, "enable_load_extension"):
        raise no_extensions()
    db.enable_load_extension(True)
    try:
        db.load_extension(path())
    finally:
        db.enable_load_extension(False)


async def load_async(db):
    """load for a connection of aiosqlite."""
    try:
        await db.execute_fetchall(VERSION)
        return
    except Exception as e:
        refuse_but_missing(e)
    try:
        await db.enable_load_extension(True)
    except AttributeError:
        raise no_extensions() from None
    try:
        await db.load_extension(path())
    finally:
        await db.enable_load_extension(False)


def refuse_but_missing(error):
    if "no such function" not in str(error):
        raise error


def no_extensions():
    return RuntimeError("this Python loads no extension into a connection:"
                        " call interlock.enable() before you open it")


def enable():
    """Loads Interlock into every connection that is opened from now on by the
    module sqlite3, and by all else in this process that uses the same SQLite.
    Raises RuntimeError, and changes nothing, if that SQLite shows none of its
    functions.
    """
    import _sqlite3, ctypes, sqlite3
    inside = getattr(_sqlite3, "__file__", None)
    file = path()
    library = ctypes.CDLL(file if file.endswith(".so") else file + ".so")
    try:
        functions = ctypes.CDLL(inside)
        register = functions.sqlite3_auto_extension
        cancel = functions.sqlite3_cancel_auto_extension
    except AttributeError:
        raise RuntimeError("the SQLite of this Python shows no function that"
                           " loads an extension") from None
    entry = library.sqlite3_interlock_init
    if register(entry):
        raise MemoryError("sqlite3_auto_extension")
    try:
        db = sqlite3.connect(":memory:")
        try:
            db.execute("SELECT interlock_version()").fetchone()
        finally:
            db.close()
    except sqlite3.Error as e:
        cancel(entry)
        raise RuntimeError("this Python cannot load %s: %s" % (file, e)) from e
