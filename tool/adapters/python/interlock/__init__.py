# SPDX-License-Identifier: 0BSD
"""Interlock for Python: loads the extension, and locks rows for ORMs.

interlock.load(db)   into a connection of the module sqlite3
interlock.path()     the file: $INTERLOCK, or beside this module
interlock.tortoise, interlock.django, interlock.sqlalchemy
                     SELECT ... FOR UPDATE of these ORMs
"""
import os

__all__ = ["load", "path"]


def path():
    """The extension: $INTERLOCK, or interlock.so beside this module."""
    beside = os.path.join(os.path.dirname(__file__), "interlock.so")
    return os.environ.get("INTERLOCK") or beside


def load(db):
    """Loads Interlock into a connection of sqlite3, or of a driver like it."""
    db.enable_load_extension(True)
    try:
        db.load_extension(path())
    finally:
        db.enable_load_extension(False)
