# SPDX-License-Identifier: 0BSD
# adapterdjango.py N: adds 1 to a row N times, by select_for_update(). Without N:
# what adapters.py has of it.
import contextlib, glob, os, sqlite3, sys
import django, interlock
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "interlock.django",  #:adapter
                           "NAME": "shop.db", "OPTIONS": {"timeout": 60},
                           "TEST": {"NAME": "test.db"}}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.db import OperationalError, connection, models, transaction

class Counter(models.Model):
    n = models.IntegerField()

    class Meta:
        app_label = "shop"
        db_table = "counter"

def add(pk):
    with transaction.atomic():
        counter = Counter.objects.select_for_update().get(pk=pk)
        counter.n += 1
        counter.save()

def create():
    with connection.schema_editor() as editor:
        editor.create_model(Counter)
    Counter.objects.bulk_create([Counter(n=0) for _ in range(3)])

def total():
    return sum(c.n for c in Counter.objects.all())

def nowait(pk):
    try:
        with transaction.atomic():
            return Counter.objects.select_for_update(nowait=True).get(pk=pk)
    except OperationalError as e:
        return str(e)

def skip():
    with transaction.atomic():
        return [c.pk for c in Counter.objects.order_by("-pk")
                .select_for_update(skip_locked=True)[:1]]

def part():
    with transaction.atomic():
        return [c.pk for c in Counter.objects.order_by("pk")
                .select_for_update()[1:3]]

# An object of Cafe has three rows. update_or_create() locks by itself.
class Place(models.Model):
    name = models.CharField(max_length=9)

    class Meta:
        app_label = "shop"
        db_table = "place"

class Open(models.Model):
    until = models.IntegerField(default=0)
    key = models.AutoField(primary_key=True)

    class Meta:
        app_label = "shop"
        db_table = "open"

class Cafe(Place, Open):
    stars = models.IntegerField(default=0)

    class Meta:
        app_label = "shop"
        db_table = "cafe"

class Bar(Cafe):
    class Meta:
        app_label = "shop"
        proxy = True

def locks():
    with connection.cursor() as cursor:
        cursor.execute("SELECT object, key FROM advisory_locks"
                       " WHERE kind = 'row' ORDER BY object, key")
        return cursor.fetchall()

def parents():
    with connection.schema_editor() as editor:
        for model in Place, Open, Cafe:
            editor.create_model(model)
    Place.objects.create(name="none")
    for i in range(2):
        cafe, created = Cafe.objects.update_or_create(
            name="a", defaults={"stars": i})
        assert (created, cafe.stars, cafe.pk) == (i == 0, i, 2), cafe
    for model in Cafe, Bar:
        with transaction.atomic():
            assert model.objects.select_for_update().get(name="a").stars == 1
            assert locks() == [
                ("cafe", 2), ("open", 1), ("place", 2)], locks()
    # What has locked only the part of one table is met.
    for of, key in ("place", 2), ("open", 1), ("cafe", 2):
        with locked_elsewhere(of, key), transaction.atomic():
            assert not Cafe.objects.select_for_update(skip_locked=True)
        with locked_elsewhere(of, key):
            try:
                with transaction.atomic():
                    Cafe.objects.select_for_update(nowait=True).get()
                raise AssertionError(of)
            except OperationalError as e:
                assert str(e) == "row locked: %s(%d)" % (of, key), e

@contextlib.contextmanager
def locked_elsewhere(table, key):
    other = sqlite3.connect("shop.db")
    interlock.load(other)
    with interlock.row_locked(other, table, key):
        yield
    other.close()

# A key of two columns.
def composite():
    class Seat(models.Model):
        pk = models.CompositePrimaryKey("hall", "number")
        hall = models.CharField(max_length=9)
        number = models.IntegerField()
        n = models.IntegerField(default=0)

        class Meta:
            app_label = "shop"
            db_table = "seat"

    with connection.schema_editor() as editor:
        editor.create_model(Seat)
    Seat.objects.bulk_create([Seat(hall="a", number=i) for i in (1, 2, 3)])
    for i in range(2):
        seat, created = Seat.objects.update_or_create(
            hall="b", number=1, defaults={"n": i})
        assert (created, seat.n) == (i == 0, i), seat
    with transaction.atomic():
        found = Seat.objects.select_for_update().filter(number__gt=1)
        assert sorted(s.pk for s in found) == [("a", 2), ("a", 3)]
        assert locks() == [
            ("seat", "('a',2)"), ("seat", "('a',3)")], locks()
    with transaction.atomic():
        assert not Seat.objects.select_for_update().filter(number=9)

# In WAL mode a transaction that has read first is refused, unless it began with
# the write lock.
def read_first():
    def attempt():
        try:
            with transaction.atomic():
                Place.objects.count()
                Counter.objects.select_for_update().get(pk=1)
            return "locked"
        except OperationalError as e:
            return "lock wait refused" in str(e) and "refused"

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.fetchall()
    assert attempt() == "refused"
    connection.close()
    connection.settings_dict["OPTIONS"]["transaction_mode"] = "IMMEDIATE"
    assert attempt() == "locked"

# Nothing is left of a database of tests.
def tests():
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    create()
    add(1)
    assert os.path.exists("test.db-interlock")
    connection.creation.destroy_test_db("shop.db", verbosity=0)
    assert not glob.glob("test.db*"), glob.glob("test.db*")

# In a Python that loads no extensions: after interlock.enable().
def enabled():
    class Plain(sqlite3.Connection):
        @property
        def enable_load_extension(self):
            raise AttributeError("enable_load_extension")

    connection.close()
    connection.settings_dict["OPTIONS"]["factory"] = Plain
    interlock.enable()
    assert total() == 100

if __name__ == "__main__":
    import adapters
    adapters.main(sys.modules[__name__])
    if len(sys.argv) == 1:
        parents()
        if django.VERSION >= (5, 2):
            composite()
            read_first()
        tests()
        enabled()
