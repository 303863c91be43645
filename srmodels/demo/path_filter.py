"""Between browser and Gradio: no path of the server goes out, and nothing comes in from elsewhere.

Gradio addresses its temporary files by their whole path. In what leaves, the folder's name becomes
one that says nothing, and in what comes back it becomes the folder again.
"""

import json
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PathFilterMiddleware", "without_paths"]

_TEXTS = (b"text/html", b"application/json", b"text/event-stream")
# a bug, in this page or in Gradio, could not fetch anything from the net either
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; frame-ancestors 'none'; form-action 'self'; base-uri 'self'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
_FOLDERS = re.compile(r"(?<![\w.:/\\])(?:[A-Za-z]:[\\/]|/)(?:[^\\/:\n]+[\\/])*(?=[^\\/\s])")


def without_paths(text: str, known: Iterable[Path] = ()) -> str:
    """A sentence in which files go by their names alone.

    Args:
        text: Such as the message of an error.
        known: Files that may be named in it by relative paths.
    """
    for path in known:
        text = text.replace(str(path), path.name)
    return _FOLDERS.sub("", text)


def _escaped(path: str) -> bytes:
    """As a path stands in JSON."""
    return json.dumps(path)[1:-1].encode()


class PathFilterMiddleware:
    """An ASGI middleware.

    Args:
        app: Gradio's.
        folder: Where all its temporary files are.
    """

    def __init__(self, app: "ASGIApp", *, folder: Path) -> None:
        self._app = app
        self._folder, self._name = str(folder), f"/{secrets.token_hex(12)}"

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].replace(self._name, self._folder)
        if "=http:" in path or "=https:" in path:  # Gradio would fetch that page for whoever asks
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = dict(scope["headers"])
        if headers.get(b"content-type", b"").startswith(b"application/json"):
            receive = self._lifted(receive)
        await self._app({**scope, "path": path}, receive, self._covering(send))

    def _lifted(self, receive: "Receive") -> "Receive":
        """A request's body with the folder in it, in one piece: a name may be cut in two."""
        given = False

        async def lifted() -> "Message":
            nonlocal given
            if given:
                return await receive()
            given, body = True, b""
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    return message
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    break
            body = body.replace(self._name.encode(), _escaped(self._folder))
            return {"type": "http.request", "body": body, "more_body": False}

        return lifted

    def _covering(self, send: "Send") -> "Send":
        """A response without the folder; texts come in whole pieces."""
        text = False

        async def covering(message: "Message") -> None:
            nonlocal text
            if message["type"] == "http.response.start":
                headers = message["headers"]
                text = any(
                    key == b"content-type" and value.startswith(_TEXTS) for key, value in headers
                )
                if text:  # its length changes
                    headers = [each for each in headers if each[0] != b"content-length"]
                message = {**message, "headers": [*headers, *_HEADERS]}
            elif text:
                body = message.get("body", b"").replace(_escaped(self._folder), self._name.encode())
                message = {**message, "body": body}
            await send(message)

        return covering
