# shop/config.py
CONFIG = {
    "connections": {"default": {
        "engine": "shop.interlock_sqlite",
        "credentials": {"file_path": "shop.db"}}},
    "apps": {"shop": {
        "models": ["shop.models"], "default_connection": "default",
        "migrations": "shop.migrations"}},
}
