# shop/interlock_sqlite.py. Tortoise takes a backend for SQLite's if `sqlite` is
# in the name of its module.
from tortoise.backends.sqlite.client import SqliteClient

class Client(SqliteClient):
    async def _post_connect(self):
        await super()._post_connect()
        await self._connection.enable_load_extension(True)
        await self._connection.load_extension("./build/interlock")
        await self._connection.enable_load_extension(False)

client_class = Client
