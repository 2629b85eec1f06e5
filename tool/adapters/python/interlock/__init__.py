# SPDX-License-Identifier: 0BSD
"""Interlock for Python: loads the extension, and locks rows for ORMs.

interlock.load(db)   into a connection of the module sqlite3
interlock.path()     the file that it loads
interlock.tortoise, interlock.django, interlock.sqlalchemy
                     SELECT ... FOR UPDATE of these ORMs
"""
import os

__all__ = ["load", "path"]


def path():
    """The extension: $INTERLOCK; else interlock.so beside this module, if it is
    there; else the one that `make install` has put where libraries are found.
    """
    beside = os.path.join(os.path.dirname(__file__), "interlock.so")
    return os.environ.get("INTERLOCK") or (
        beside if os.path.exists(beside) else "interlock")


def load(db):
    """Loads Interlock into a connection of sqlite3, or of a driver like it."""
    db.enable_load_extension(True)
    try:
        db.load_extension(path())
    finally:
        db.enable_load_extension(False)
