# SPDX-License-Identifier: 0BSD
# A plugin of pytest for fasteners' own tests: its two mechanisms, which locked
# a part of the file, take an advisory lock on the name of the file. LOCKS is
# the database. An open file has a connection while it is locked.
import errno
import os
import sqlite3
import weakref

from fasteners import process_lock, process_mechanism
from interlock_report import used

connections = weakref.WeakKeyDictionary()


def connection_of(file):
    db = connections.get(file)
    if db is None:
        db = sqlite3.connect(os.environ["LOCKS"], check_same_thread=False)
        db.enable_load_extension(True)
        db.load_extension(os.environ["INTERLOCK"])
        db.enable_load_extension(False)
        connections[file] = db
    return db


def lock(file, exclusive):
    suffix = "" if exclusive else "_shared"
    got, = connection_of(file).execute(
        "SELECT try_advisory_lock%s(?)" % suffix,
        (os.path.realpath(os.fsdecode(file.name)),)).fetchone()
    used("locks")
    return bool(got)


def unlock(file):
    db = connections.pop(file, None)
    if db is not None:
        db.close()


class Exclusive:
    @staticmethod
    def trylock(file):
        if not lock(file, True):
            raise OSError(errno.EAGAIN, "locked")

    unlock = staticmethod(unlock)


class ReaderWriter(process_mechanism._InterProcessReaderWriterLockMechanism):
    trylock = staticmethod(lock)
    unlock = staticmethod(unlock)

    @staticmethod
    def get_handle(path):
        return open(path, "a+")

    @staticmethod
    def close_handle(file):
        file.close()


for module in process_lock, process_mechanism:
    module._interprocess_mechanism = Exclusive()
    module._interprocess_reader_writer_mechanism = ReaderWriter()
