# SPDX-License-Identifier: 0BSD
# adapterdjango.py N: adds 1 to a row N times, by select_for_update(). Without N:
# what adapters.py has of it.
import sys
import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "interlock.django",  #:adapter
                           "NAME": "shop.db", "OPTIONS": {"timeout": 60}}},
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

if __name__ == "__main__":
    import adapters
    adapters.main(sys.modules[__name__])
