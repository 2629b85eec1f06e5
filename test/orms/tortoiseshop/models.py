# shop/models.py
from tortoise import fields, models

class Versioned(models.Model):
    version = fields.IntField(default=1)

    class Meta:
        abstract = True

    async def save(self, using_db=None, update_fields=None,
                   force_create=False, force_update=False):
        if self._saved_in_db and not force_create:
            force_update = True  # an error if the row is gone
            self.version += 1
            if update_fields is not None:
                update_fields = {*update_fields, "version"}
        try:
            await super().save(using_db, update_fields, force_create,
                               force_update)
        except BaseException:
            if self._saved_in_db:
                self.version -= 1
            raise

class Account(Versioned):
    id = fields.IntField(primary_key=True)
    balance = fields.IntField()

    class Meta:
        table = "account"
