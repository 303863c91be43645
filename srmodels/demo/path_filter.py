"""Hides the server's folders from the browser.

Gradio addresses its temporary files by their full path. The middleware replaces the folder by a
random name in responses, and the name by the folder in requests.
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

_TEXT_TYPES = (b"text/html", b"application/json", b"text/event-stream")
# the browser loads nothing from other servers, even if the page or Gradio has a bug
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


def without_paths(text: str, files: Iterable[Path] = ()) -> str:
    """A message with file names in place of absolute paths, and of the paths of `files`."""
    for path in files:
        text = text.replace(str(path), path.name)
    return _FOLDERS.sub("", text)


class PathFilterMiddleware:
    """ASGI middleware that hides `folder` in responses and blocks requests for other servers."""

    def __init__(self, app: "ASGIApp", *, folder: Path) -> None:
        self._app = app
        self._folder, self._name = str(folder), f"/{secrets.token_hex(12)}"
        self._json_folder = json.dumps(self._folder)[1:-1].encode()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Handles a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].replace(self._name, self._folder)
        if "=http:" in path or "=https:" in path:  # Gradio would fetch the URL as a proxy
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        headers = dict(scope["headers"])
        if headers.get(b"content-type", b"").startswith(b"application/json"):
            receive = self._restore_folder(receive)
        await self._app({**scope, "path": path}, receive, self._hide_folder(send))

    def _restore_folder(self, receive: "Receive") -> "Receive":
        """Receives a request's body as one message, since chunks may split the name."""

        async def restored() -> "Message":
            message = await receive()
            body = message.get("body", b"")
            while message.get("more_body", False):
                message = await receive()
                body += message.get("body", b"")
            if message["type"] == "http.request":
                message["body"] = body.replace(self._name.encode(), self._json_folder)
            return message

        return restored

    def _hide_folder(self, send: "Send") -> "Send":
        """Sends responses without the folder; Gradio splits text only between events."""
        is_text = False

        async def hidden(message: "Message") -> None:
            nonlocal is_text
            if message["type"] == "http.response.start":
                headers = message["headers"]
                is_text = any(
                    key == b"content-type" and value.startswith(_TEXT_TYPES)
                    for key, value in headers
                )
                if is_text:  # the length changes
                    headers = [header for header in headers if header[0] != b"content-length"]
                message = {**message, "headers": [*headers, *_HEADERS]}
            elif is_text:
                body = message.get("body", b"").replace(self._json_folder, self._name.encode())
                message = {**message, "body": body}
            await send(message)

        return hidden
