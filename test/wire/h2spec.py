"""h2spec's conformance cases of HTTP/2 and HPACK against our server, every one of them."""

import os
import re
import xml.etree.ElementTree as ElementTree

import interop
from harness import run

RUN_SECONDS_MAX = 300
ANSWER_SECONDS_MAX = 10  # h2spec's own 2 s are short for a machine that does other things as well
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def run_all(context, results):
    for tls in (False, True):
        prefix = f"h2spec {'TLS' if tls else 'plain'}:"
        context.guard(results, prefix, lambda: run_cases(context, results, prefix, tls))


def run_cases(context, results, prefix, tls):
    report = os.path.join(context.directory, "h2spec.xml")
    with interop.our_server(context, tls) as server:
        command = [context.go("h2spec"), "--host", "127.0.0.1", "--port", str(server.port),
                   "--timeout", str(ANSWER_SECONDS_MAX), "--junit-report", report]
        if tls:
            command += ["--tls", "--insecure"]
        _, output = run(command, RUN_SECONDS_MAX)
        died = server.problem()
    if died or not os.path.exists(report):
        results.fail(f"{prefix} run", died or output)
        return
    cases = list(read_report(report))
    os.remove(report)
    results.check(f"{prefix} all sections ran", "" if len(cases) > 100 else f"only {len(cases)} cases: {output}")
    for case, title, problem in cases:
        results.check(f"{prefix} {case} {title}", problem)


def read_report(path):
    """(id, title, problem) of each case; h2spec numbers them within their section."""
    with open(path, encoding="utf-8", errors="replace") as file:
        text = NOT_IN_XML.sub("?", file.read())  # h2spec writes what it received as it is
    for suite in ElementTree.fromstring(text.encode()).iter("testsuite"):
        for number, case in enumerate(suite.findall("testcase"), start=1):
            problem = ""
            for kind in ("failure", "error", "skipped"):
                found = case.find(kind)
                if found is not None:
                    problem = f"{kind}: {found.text or ''}"
            yield f"{case.get('package')}/{number}", case.get("classname"), problem
