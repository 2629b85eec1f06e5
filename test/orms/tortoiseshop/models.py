# shop/models.py
from tortoise import fields, models

class Versioned(models.Model):
    version = fields.IntField(default=1)

    class Meta:
        abstract = True

    async def save(self, using_db=None, update_fields=None,
                   force_create=False, force_update=False):
        writes = self._saved_in_db or update_fields or force_update
        if force_create or not writes:
            return await super().save(using_db, force_create=force_create)
        if update_fields is not None:
            update_fields = {*update_fields, "version"}
        self.version += 1
        try:
            # force_update: an error if the row is gone
            await super().save(using_db, update_fields, force_update=True)
        except BaseException:
            self.version -= 1
            raise

class Account(Versioned):
    id = fields.IntField(primary_key=True)
    balance = fields.IntField()

    class Meta:
        table = "account"
