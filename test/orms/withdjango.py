# SPDX-License-Identifier: 0BSD
import os, sqlite3, sys, threading
import django
from django.conf import settings

os.makedirs("shop/migrations")
for name in "shop/__init__.py", "shop/migrations/__init__.py":
    open(name, "w").close()
sys.path.insert(0, os.getcwd())
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                           "NAME": "shop.db"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["shop"])
django.setup()

from django.core.management import call_command
from django.db import IntegrityError, connection, migrations, models
from django.db import transaction
from django.db.backends.signals import connection_created
from steps import adapter, other

def load(connection, **kwargs):  #:load
    connection.connection.enable_load_extension(True)  #:load
    connection.connection.load_extension("./build/interlock")  #:load
    connection.connection.enable_load_extension(False)

connection_created.connect(load)  #:load

class Versioned(models.Model):
    version = models.BigIntegerField(default=1, editable=False)
    _has_version = True

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db, field_names, values):
        read = super().from_db(db, field_names, values)
        read._has_version = "version" in field_names
        return read

    @transaction.atomic
    def save(self, force_insert=False, force_update=False, using=None,
             update_fields=None):
        if not self._has_version:
            raise ValueError("only() and defer() must read the version of an"
                             " object that is saved")
        if update_fields is not None:
            update_fields = {*update_fields}
            if not update_fields:
                return  # Django writes nothing
            update_fields.add("version")
        super().save(force_insert=force_insert, force_update=force_update,
                     using=using, update_fields=update_fields)
        self.refresh_from_db(fields=["version"])

class Account(Versioned):
    balance = models.IntegerField()

    class Meta:
        app_label = "shop"
        db_table = "account"

def migration(name, *operations):
    with open(f"shop/migrations/{name}.py", "w") as f:
        f.write("from django.db import migrations, models\n"
                "class Migration(migrations.Migration):\n"
                f"    dependencies = {dependencies!r}\n"
                f"    operations = [{', '.join(operations)}]\n")
    dependencies[:] = [("shop", name)]
    call_command("migrate", verbosity=0)

def one(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]

dependencies = []
migration("0001_initial", """migrations.CreateModel("Account", [
    ("id", models.AutoField(primary_key=True)),
    ("version", models.BigIntegerField(default=1, editable=False)),
    ("balance", models.IntegerField())], {"db_table": "account"})""")
migration("0002_versioned", """migrations.RunSQL(
    "SELECT versioned('account', 'version', 'echo')",
    "SELECT unversioned('account')")""")

# Each thread has a connection of its own.
loaded = []
threads = [threading.Thread(target=lambda: loaded.append(
    one("SELECT interlock_version()"))) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("loaded", int(len(loaded) == 3))
print("~version", f"Django {django.__version__},"
      f" SQLite {sqlite3.sqlite_version}")
print("status", one("SELECT status FROM versioned_tables"))

a = Account.objects.create(balance=100)
a.balance = 90
a.save()
print("saved", a.version, other("SELECT balance, version FROM account"))
a.balance = 80
a.save(update_fields=["balance"])
print("again", a.version, other("SELECT balance, version FROM account"))

b = Account.objects.get(pk=1)
a.balance -= 1
a.save()
b.balance -= 2
try:
    b.save()
except IntegrityError as e:
    print(f"~stale {type(e).__name__}: {e}")
    print("stale", int(
        str(e).startswith("stale write:")  #:stale
    ))
# No part of it can be saved, either; nor an object without its version.
less = Account.objects.only("balance").get(pk=1)
less.balance = 3
for stale in b, less:
    for part in {}, {"update_fields": ["balance"]}:
        try:
            stale.save(**part)
        except (IntegrityError, ValueError):
            continue
        raise AssertionError("an object that is stale was saved")

other("UPDATE account SET balance = 50")
a.balance -= 1
try:
    a.save()
except IntegrityError as e:
    print("unknown", int(str(e).startswith("stale write:")))

with transaction.atomic():
    one("SELECT row_xact_lock('account', 1), write_turn()")  #:lock
    c = Account.objects.get(pk=1)
    print("locked", other("-load", "SELECT try_row_lock('account', 1)"))
    c.balance += 1
    c.save()
print("free", other("-load", "SELECT try_row_lock('account', 1)"))
with transaction.atomic():
    query = str(Account.objects.select_for_update().query)
    list(Account.objects.select_for_update())
print("~lock", "silently left out" if "UPDATE" not in query else query)

migration("0003_balance", """migrations.AlterField(
    "Account", "balance", models.IntegerField(null=True))""")
print("rebuilt", one("SELECT status FROM versioned_tables"))
one("SELECT versioned_repair()")
print("repaired", one("SELECT status FROM versioned_tables"),
      other("SELECT balance, version FROM account"))
adapter("django")
print("done")
