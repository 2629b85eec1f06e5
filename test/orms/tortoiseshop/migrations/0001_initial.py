from tortoise import fields, migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    initial = True
    operations = [
        ops.CreateModel(
            name="Account",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True)),
                ("balance", fields.IntField()),
                ("version", fields.IntField(default=1)),
            ],
            options={"table": "account", "app": "shop", "pk_attr": "id"},
            bases=["Model"],
        ),
    ]
