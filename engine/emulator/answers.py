"""What the emulator answers where moto has nothing to answer."""

from __future__ import annotations

import json
from xml.sax.saxutils import escape

from flask import Response, request

CODE = "NotImplementedByEmulator"


def unimplemented(error: NotImplementedError) -> Response:
    """400 with the operation's name, in the form of the service; SDKs retry a 500, but not a 400."""
    message = f"The emulator lacks this operation: {error}"
    if "json" in (request.content_type or ""):
        return Response(
            json.dumps({"__type": CODE, "message": message}), 400, content_type="application/x-amz-json-1.1"
        )
    body = f"<ErrorResponse><Error><Code>{CODE}</Code><Message>{escape(message)}</Message></Error></ErrorResponse>"
    if request.headers.get("X-Amz-Content-Sha256"):  # S3: its errors have no envelope
        body = body.removeprefix("<ErrorResponse>").removesuffix("</ErrorResponse>")
    return Response(body, 400, content_type="text/xml")
