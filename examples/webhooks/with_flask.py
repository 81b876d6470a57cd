"""A webhook that takes raw mails, with Flask.

OPTOUTKIT_STORE=sqlite:////var/lib/shop/optouts.db QUARANTINE=/var/lib/shop/quarantine WEBHOOK_TOKEN=... gunicorn "with_flask:create_app()"
"""

import hmac
import os

from flask import Flask, Response, abort, request

from optoutkit import Intake, open_store
from optoutkit.intake import IntakeStatus


def create_app():
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 32 * 2**20  # what is larger is answered with 413
    intake = Intake(open_store(os.environ["OPTOUTKIT_STORE"]), quarantine=os.environ["QUARANTINE"])
    expected = f"Bearer {os.environ['WEBHOOK_TOKEN']}".encode()

    @app.post("/notices")
    def notices():
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            abort(401)
        result = intake.ingest(request.get_data(cache=False))
        if result.status is IntakeStatus.RETRY:  # the store or DNS does not answer: the sender has to try again
            return Response(status=503, headers={"Retry-After": "60"})
        return {"status": result.status, "mail_id": result.mail_id}

    return app
