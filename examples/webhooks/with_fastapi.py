"""A webhook that takes raw mails, with FastAPI.

OPTOUTKIT_STORE=sqlite:////var/lib/shop/optouts.db QUARANTINE=/var/lib/shop/quarantine WEBHOOK_TOKEN=... uvicorn with_fastapi:app
"""

import contextlib
import hmac
import os

from fastapi import FastAPI, HTTPException, Request

from optoutkit import AsyncIntake, open_async_store
from optoutkit.intake import IntakeStatus

MAX_BYTES = 32 * 2**20


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI):
    async with open_async_store(os.environ["OPTOUTKIT_STORE"]) as store:
        app.state.intake = AsyncIntake(store, quarantine=os.environ["QUARANTINE"])
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/notices")
async def notices(request: Request):
    expected = f"Bearer {os.environ['WEBHOOK_TOKEN']}".encode()
    if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
        raise HTTPException(401)
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BYTES:
            raise HTTPException(413)
    result = await app.state.intake.ingest(bytes(raw))
    if result.status is IntakeStatus.RETRY:  # the store or DNS does not answer: the sender has to try again
        raise HTTPException(503, headers={"Retry-After": "60"})
    return {"status": result.status, "mail_id": result.mail_id}
