# shop/migrations/0002_versioned.py
from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_initial")]
    operations = [
        ops.RunSQL("SELECT versioned('account')", "SELECT unversioned('account')"),
    ]
