"""ghz: steady load without a single error, for a minute; for 10 s when TROTH_TEST_QUICK is set."""

import json
import os

import interop
from harness import run

CONCURRENCY = 50
# A server that answers slower than this under such a load hangs.
RATE_MIN = 100


def run_all(context, results):
    seconds = 10 if os.environ.get("TROTH_TEST_QUICK") else 60
    if context.has_troth():
        name, server, method = "troth NewGid", context.troth, "dtmgimp.Dtm.NewGid"
    else:
        name, method = "interop server EmptyCall", "grpc.testing.TestService.EmptyCall"
        def server():
            return interop.our_server(context, tls=False)
    name = f"ghz {name}, {seconds} s, {CONCURRENCY} at once"
    context.guard(results, name, lambda: check(context, results, name, server, method, seconds))


def check(context, results, name, make_server, method, seconds):
    with make_server() as server:
        code, output = run([context.go("ghz"), "--insecure", "--call", method, "--format", "json",
                            "--concurrency", str(CONCURRENCY), "--connections", "5",
                            "--duration", f"{seconds}s", "--duration-stop", "wait",
                            f"127.0.0.1:{server.port}"], timeout=seconds + 60)
        problem = server.problem()
    if problem or code != 0:
        results.fail(name, problem or output)
        return
    report = json.loads(output)
    statuses = report["statusCodeDistribution"]
    if set(statuses) != {"OK"} or report.get("errorDistribution"):
        problem = f"{statuses}, {report.get('errorDistribution')}"
    elif report["rps"] < RATE_MIN:
        problem = f"only {report['rps']:.0f} calls a second"
    results.check(f"{name}: {statuses.get('OK', 0)} calls, {report['rps']:.0f}/s", problem)
