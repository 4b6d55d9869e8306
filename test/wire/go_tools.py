"""Builds the Go programs of others that the checks use, each from its own pinned go.mod under tools/.

One module for each tool, because their dependencies exclude each other. The programs are kept outside
the tracked files and built again only when a go.mod or the Go version changes.
"""

import hashlib
import os
import re
import shutil
import time

from harness import run

PACKAGES = {  # program -> (module under tools/, package)
    "grpc-interop-client": ("grpc-interop", "google.golang.org/grpc/interop/client"),
    "grpc-interop-server": ("grpc-interop", "google.golang.org/grpc/interop/server"),
    "h2spec": ("h2spec", "github.com/summerwind/h2spec/cmd/h2spec"),
    "grpcurl": ("grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl"),
    "ghz": ("ghz", "github.com/bojand/ghz/cmd/ghz"),
}
BUILD_SECONDS_MAX = 1800  # the first time everything is downloaded and compiled
PAUSES = (5, 20)  # seconds between tries to download: a network may fail for a moment


class Unavailable(Exception):
    """A program cannot be had here; the text says what is needed."""


class GoTools:
    def __init__(self, modules, binaries):
        self.modules = modules
        self.binaries = binaries
        self.environment = dict(os.environ, GOTOOLCHAIN="local", GOFLAGS="-mod=readonly", GOWORK="off")
        self.version = self._go_version()

    def path(self, program):
        """The program, built when need be. Raises Unavailable or RuntimeError."""
        module, package = PACKAGES[program]
        directory = os.path.join(self.modules, module)
        self._need_go(directory)
        target = os.path.join(self.binaries, f"{program}-{self._pins(directory)}")
        if os.path.exists(target):
            return target
        print(f"building {program}", flush=True)
        os.makedirs(self.binaries, exist_ok=True)
        self._download(package, directory)
        code, output = run(["go", "build", "-trimpath", "-buildvcs=false", "-o", target + ".new", package],
                           timeout=BUILD_SECONDS_MAX, cwd=directory, env=self.environment)
        if code != 0:
            raise RuntimeError(f"go build {package}: {output}")
        os.rename(target + ".new", target)
        return target

    def _download(self, package, directory):
        for pause in (*PAUSES, None):
            code, output = run(["go", "list", "-deps", package], timeout=BUILD_SECONDS_MAX, cwd=directory,
                               env=self.environment)
            if code == 0:
                return
            if pause is None:
                raise RuntimeError(f"go list {package}: {output}")
            print(f"{package} could not be downloaded; again in {pause} s", flush=True)
            time.sleep(pause)

    def _go_version(self):
        if shutil.which("go") is None:
            return None
        _, output = run(["go", "env", "GOVERSION"], env=self.environment)
        found = re.search(r"go(\d+)\.(\d+)", output)
        return (int(found.group(1)), int(found.group(2))) if found else None

    def _need_go(self, directory):
        with open(os.path.join(directory, "go.mod"), encoding="utf-8") as file:
            major, minor = re.search(r"^go (\d+)\.(\d+)", file.read(), re.MULTILINE).groups()
        if self.version is None or self.version < (int(major), int(minor)):
            raise Unavailable(f"needs Go >= {major}.{minor}")

    def _pins(self, directory):
        """Changes with everything the program is built from."""
        digest = hashlib.sha256(repr(self.version).encode())
        for name in ("go.mod", "go.sum"):
            with open(os.path.join(directory, name), "rb") as file:
                digest.update(file.read())
        return digest.hexdigest()[:12]
