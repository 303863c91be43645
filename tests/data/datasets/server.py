"""A local HTTP server that misbehaves on request."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Site:
    """What is served and how: `faults` are used up one per request; `seen` has each Range."""

    def __init__(self):
        self.files = {}
        self.faults = []
        self.seen = []
        self.ranges = True
        self.etags = True
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        site = self.server.site
        fault = site.faults.pop(0) if site.faults else {}
        content = fault.get("content", site.files.get(self.path.strip("/")))
        status = fault.get("status") or (404 if content is None else 200)
        site.seen.append(self.headers["Range"])
        if status != 200:
            self.send_response(status)
            for name, value in fault.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        start = 0
        if site.ranges and self.headers["Range"] and self.headers["If-Range"] in (None, tag):
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        if start:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        if site.etags:
            self.send_header("ETag", tag)
        self.end_headers()
        body = content[start:]
        if "cut" in fault:  # the line goes dead after so many bytes
            body = body[: fault["cut"]]
            self.close_connection = True
        self.wfile.write(body)
        if "hold" in fault:  # and stays open
            self.wfile.flush()
            fault["hold"].wait(20)


@contextmanager
def serving():
    """Yields a Site that is being served."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site, server.daemon_threads = site, True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
