"""grpcurl, which finds out by reflection what there is to call."""

import interop
from harness import run

INTEROP = "grpc.testing.TestService"


def run_all(context, results):
    context.guard(results, "grpcurl, interop server:", lambda: check_interop(context, results))
    context.guard(results, "grpcurl, troth:", lambda: check_troth(context, results))


class Grpcurl:
    """Calls to one server, as checks with a common prefix."""

    def __init__(self, context, results, prefix, port, *options):
        self.results, self.prefix = results, prefix
        self.program, self.options, self.address = context.go("grpcurl"), options, f"127.0.0.1:{port}"

    def expect(self, name, arguments, wanted, data=None):
        """The call succeeds and prints each of `wanted`."""
        command = [self.program, *self.options, "-max-time", "10"]
        if data is not None:
            command += ["-d", data]
        code, output = run([*command, self.address, *arguments])
        missing = [text for text in wanted if text not in output]
        problem = ""
        if code != 0 or missing:
            problem = f"exit code {code}, missing {missing} in: {output}"
        self.results.check(f"{self.prefix} {name}", problem)

    def expect_error(self, name, arguments, wanted):
        code, output = run([self.program, *self.options, "-max-time", "10", self.address, *arguments])
        problem = "" if code != 0 and wanted in output else f"exit code {code}: {output}"
        self.results.check(f"{self.prefix} {name}", problem)


def check_interop(context, results):
    for tls in (False, True):
        options = ["-cacert", context.certificates.ca] if tls else ["-plaintext"]
        prefix = f"grpcurl, interop server, {'TLS' if tls else 'plain'}:"
        with interop.our_server(context, tls) as server:
            grpcurl = Grpcurl(context, results, prefix, server.port, *options)
            grpcurl.expect("list", ["list"], [INTEROP, "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                              "grpc.reflection.v1alpha.ServerReflection"])
            grpcurl.expect("describe", ["describe", INTEROP], ["rpc EmptyCall", "rpc FullDuplexCall"])
            grpcurl.expect("describe a message", ["describe", "grpc.testing.SimpleRequest"], ["response_size"])
            grpcurl.expect("call", [f"{INTEROP}/UnaryCall"], ['"body": "AAAA"'], '{"response_size": 3}')
            grpcurl.expect("health", ["grpc.health.v1.Health/Check"], ['"status": "SERVING"'])
            grpcurl.expect_error("an unknown symbol", ["describe", "no.Such"], "not found")


def check_troth(context, results):
    with context.troth() as server:
        grpcurl = Grpcurl(context, results, "grpcurl, troth:", server.port, "-plaintext")
        grpcurl.expect("list", ["list"], ["dtmgimp.Dtm", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                          "grpc.reflection.v1alpha.ServerReflection"])
        grpcurl.expect("describe", ["describe", "dtmgimp.Dtm"], ["rpc NewGid", "rpc Submit", "rpc RegisterBranch"])
        grpcurl.expect("NewGid", ["dtmgimp.Dtm/NewGid"], ['"Gid": "'])
        grpcurl.expect("health", ["grpc.health.v1.Health/Check"], ['"status": "SERVING"'])
