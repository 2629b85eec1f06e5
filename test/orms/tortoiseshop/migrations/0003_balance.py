# shop/migrations/0003_balance.py: Tortoise rebuilds the table.
from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [("shop", "0002_versioned")]
    operations = [
        ops.AlterField("Account", "balance", fields.IntField(null=True)),
    ]
