"""What the tests need: troth on ports of its own, and a service that answers by a script."""

import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import requests

from free_port import free_port

PATIENCE = 30  # seconds until something that should happen soon counts as not happening
POLL_INTERVAL = 0.02


def eventually(what, condition):
    """Polls until condition() is true and returns what it gave; an AssertionError after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError("%s: not within %d s" % (what, PATIENCE))
        time.sleep(POLL_INTERVAL)


class Troth:
    """A server of the tests' own, in a temporary folder."""

    def __init__(self):
        port, self.folder = free_port(), tempfile.mkdtemp(prefix="troth-python-")
        self.url = "http://127.0.0.1:%d/api/dtmsvr" % port
        with open(os.path.join(self.folder, "conf.yml"), "w", encoding="utf-8") as conf:
            conf.write("HttpPort: %d\nGrpcPort: %d\nRetryInterval: 10\nTimeoutToFail: 10\n"
                       "RequestTimeout: 30\n" % (port, free_port()))
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen([os.environ["TROTH_BIN"], "-c", "conf.yml"], cwd=self.folder,
                                            stdout=log, stderr=subprocess.STDOUT)
        eventually("troth answers", self._answers)

    def _answers(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "log"), encoding="utf-8") as log:
                raise AssertionError("troth ended:\n" + log.read())
        try:
            return requests.get(self.url + "/version", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder)

    def query(self, gid):
        return requests.get(self.url + "/query", params={"gid": gid}, timeout=PATIENCE).json()["transaction"]

    def await_status(self, gid, status):
        return eventually("%s is %s" % (gid, status),
                          lambda: (self.query(gid) or {}).get("status") == status and self.query(gid))


class Service:
    """Answers 200 to every call, unless a test scripts something else, and records what it was asked."""

    def __init__(self):
        self._lock, self._replies, self._calls = threading.Lock(), {}, {}
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
                status, text = service._record(query, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = _answer

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    def script(self, gid, call, *statuses):
        """The status codes of calls like "02 action", one after another, the last one for ever."""
        with self._lock:
            self._replies[gid, call] = list(statuses)

    def calls(self, gid):
        """Calls of a transaction in order: ["01 action", "02 action"]."""
        with self._lock:
            return [call for call, _ in self._calls.get(gid, [])]

    def bodies(self, gid):
        with self._lock:
            return [json.loads(body) for _, body in self._calls.get(gid, []) if body]

    def _record(self, query, body):
        gid, call = query["gid"], query["branch_id"] + " " + query["op"]
        with self._lock:
            self._calls.setdefault(gid, []).append((call, body))
            replies = self._replies.get((gid, call), [200])
            status = replies.pop(0) if len(replies) > 1 else replies[0]
        return status, {200: "SUCCESS", 409: "no money", 425: "ONGOING"}.get(status, "oops")
