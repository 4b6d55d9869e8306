"""What the wire checks share: counting results, running servers, certificates."""

import os
import re
import select
import signal
import socket
import subprocess
import time

PATIENCE = 20  # seconds for anything that should be quick


class Results:
    """Prints one line a check and counts."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, name):
        self.passed += 1
        print(f"ok {name}", flush=True)

    def fail(self, name, reason):
        self.failed += 1
        print(f"FAIL {name.rstrip(':')}: {shorten(reason)}", flush=True)

    def skip(self, name, reason):
        """`reason` is a whole sentence; "needs Go >= X" is what `./dev test` looks for."""
        self.skipped += 1
        print(f"not run: {reason}: {name.rstrip(':')}", flush=True)

    def check(self, name, problem):
        """Passes when `problem` is empty."""
        if problem:
            self.fail(name, problem)
        else:
            self.ok(name)

    def summary(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)


def shorten(text, limit=400):
    """The end of a program's output, on one line: that is where the reason stands."""
    line = " / ".join(part.strip() for part in str(text).splitlines() if part.strip())
    return line if len(line) <= limit else "..." + line[-limit:]


def run(command, timeout=PATIENCE, **options):
    """Runs a program to its end. Returns (exit code, its output); 124 when it took too long."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=timeout, stdin=subprocess.DEVNULL,
                              check=False, **options)
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        return 124, f"{output}\nnot finished after {timeout} s"
    return done.returncode, done.stdout


def problem_of(command, timeout=PATIENCE):
    """Empty when the program ends with 0."""
    code, output = run(command, timeout)
    return "" if code == 0 else f"exit code {code}: {output}"


class Server:
    """A server process, ended when the `with` block is left."""

    def __init__(self, command, port=None, **options):
        """Without `port` the server says "listening on PORT" itself."""
        self.log = ""
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, **options)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.port = port

    def __enter__(self):
        try:
            self._wait_until_it_listens()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def read_log(self, wait=0.0):
        """Adds what the server has printed since to `log`, waiting a moment for something."""
        if select.select([self.process.stdout], [], [], wait)[0]:
            self.log += (self.process.stdout.read() or b"").decode(errors="replace")
        return self.log

    def problem(self):
        """Empty while the server runs."""
        code = self.process.poll()
        return "" if code is None else f"the server ended with {code}: {self.read_log()}"

    def _wait_until_it_listens(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.problem():
                raise RuntimeError(self.problem())
            self.read_log(0.02)
            if self.port is None:
                said = re.search(r"listening on (\d+)", self.log)
                if said:
                    self.port = int(said.group(1))
                    return
            elif accepts(self.port):
                return
        raise RuntimeError(f"the server did not listen within {PATIENCE} s: {self.log}")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Certificates:
    """An authority and a certificate of it for localhost, as files in `directory`."""

    def __init__(self, directory):
        self.ca = os.path.join(directory, "ca.pem")
        self.certificate = os.path.join(directory, "server.pem")
        self.key = os.path.join(directory, "server.key")
        ca_key = os.path.join(directory, "ca.key")
        request = os.path.join(directory, "server.csr")
        names = os.path.join(directory, "names.cnf")
        with open(names, "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout"]
        self._openssl("req", "-x509", *new_key, ca_key, "-out", self.ca, "-days", "2",
                      "-subj", "/CN=troth test authority")
        self._openssl("req", *new_key, self.key, "-out", request, "-subj", "/CN=localhost")
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key,
                      "-CAcreateserial", "-days", "2", "-extfile", names, "-out", self.certificate)

    @staticmethod
    def _openssl(*arguments):
        code, output = run(["openssl", *arguments])
        if code != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {output}")
