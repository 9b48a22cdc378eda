"""A small server of HTTP that plays Airflow's REST API and the lab's own, behind one login."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


class Airflow(ThreadingHTTPServer):
    """What the routes answer, and what was asked.

    Attributes:
        password: The one that is let in.
        token: The one that is good; others get 401.
        answers: ``METHOD path`` -> status and document.
        conflicts: How many calls are answered 500 first, as when Airflow's database has met a deadlock.
        asked: Method, path, query and document of each call with a good token.
        logins: The tokens that were given out.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Call)
        self.password, self.token = "swordfish", "token-1"
        self.answers, self.asked, self.logins = {}, [], []
        self.login_status, self.conflicts = 201, 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, call, *, body, token):
        url = urlsplit(call.path)
        if url.path == "/auth/token":
            if self.login_status != 201 or body["password"] != self.password:
                return (401 if self.login_status == 201 else self.login_status), {"detail": "Invalid credentials"}
            self.logins.append(self.token)
            return 201, {"access_token": self.token}
        if token != f"Bearer {self.token}":
            return 401, {"detail": "Not authenticated"}
        self.asked.append((call.command, url.path, dict(parse_qsl(url.query)), body))
        if self.conflicts:
            self.conflicts -= 1
            return 500, {"detail": {"reason": "Database error"}}
        return self.answers.get(f"{call.command} {url.path}", (404, {"detail": "no such route"}))


class _Call(BaseHTTPRequestHandler):
    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        status, document = self.server.answer(self, body=body, token=self.headers.get("Authorization"))
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _serve

    def log_message(self, *_):
        pass


@contextmanager
def served():
    """The server while it answers."""
    with Airflow() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
