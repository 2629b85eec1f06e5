# shop/app.py
from contextlib import asynccontextmanager
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, PositiveInt
from tortoise.contrib.fastapi import (
    RegisterTortoise, tortoise_exception_handlers)
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction
from shop.models import Account

CONFIG = {
    "connections": {"default": {
        "engine": "interlock.tortoise.sqlite",
        "credentials": {"file_path": "shop.db", "lock_timeout": 2000}}},
    "apps": {"shop": {
        "models": ["shop.models"], "default_connection": "default",
        "migrations": "shop.migrations"}},
}

@asynccontextmanager
async def lifespan(app):
    async with RegisterTortoise(app, config=CONFIG):
        yield

app = FastAPI(lifespan=lifespan,
              exception_handlers=tortoise_exception_handlers())

@app.exception_handler(OperationalError)
async def busy(request, e):
    if not str(e).startswith(("lock timeout:", "database is locked")):
        raise e
    return JSONResponse({"detail": str(e)}, 503, {"Retry-After": "1"})

class Form(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    balance: int
    version: int

@app.get("/accounts/{id}")
async def show(id: int) -> Form:
    return await Account.get(id=id)

@app.put("/accounts/{id}")
async def change(id: int, form: Form) -> Form:
    account = await Account.get(id=id)
    try:
        await account.update_from_dict(form.model_dump()).save()
    except IntegrityError as e:
        now = await Account.get(id=id)
        if now.version == form.version:
            raise
        now = Form.model_validate(now).model_dump()
        raise HTTPException(409, now) from e
    return account

@app.post("/accounts/{id}/withdraw/{amount}")
async def withdraw(id: int, amount: PositiveInt) -> Form:
    async with in_transaction():
        account = await Account.filter(id=id).select_for_update().get()
        if account.balance < amount:
            raise HTTPException(422, "not enough")
        account.balance -= amount
        await account.save()
    return account
