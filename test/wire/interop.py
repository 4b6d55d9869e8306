"""gRPC's interoperability cases, grpc-go against us in both directions, plain and over TLS."""

from free_port import free_port
from harness import Server, problem_of

CASES = [
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
    "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response",
    "status_code_and_message", "special_status_message", "custom_metadata", "unimplemented_method",
    "unimplemented_service",
]

# In this case grpc-go's client cancels and then half-closes. On a busy machine a server can answer the half-close,
# as it should, before the client looks at its own cancellation, and the client then reports OK: with grpc-go's own
# server, too, 3 times of 5,994. So it may try again; a server that is wrong about cancelled calls fails each time.
TRIES = {"cancel_after_begin": 3}


def our_server(context, tls):
    command = [context.our("grpc_interop_server"), "--port", "0"]
    if tls:
        command += ["--use_tls", "--cert", context.certificates.certificate,
                    "--key", context.certificates.key]
    return Server(command)


def go_server(context, tls):
    port = free_port()
    command = [context.go("grpc-interop-server"), f"-port={port}"]
    if tls:
        command += ["-use_tls", f"-tls_cert_file={context.certificates.certificate}",
                    f"-tls_key_file={context.certificates.key}"]
    return Server(command, port)


def our_client(context, tls, port, case):
    command = [context.our("grpc_interop_client"), "--host", "127.0.0.1", "--port", str(port),
               "--test_case", case]
    if tls:
        command += ["--use_tls", "--ca_file", context.certificates.ca,
                    "--server_host_override", "localhost"]
    return command


def go_client(context, tls, port, case):
    command = [context.go("grpc-interop-client"), "-server_host=127.0.0.1", f"-server_port={port}",
               f"-test_case={case}"]
    if tls:
        command += ["-use_tls", "-use_test_ca", f"-ca_file={context.certificates.ca}",
                    "-server_host_override=localhost"]
    return command


DIRECTIONS = [
    ("go client, our server", our_server, go_client),
    ("our client, go server", go_server, our_client),
]


def run_all(context, results):
    for title, make_server, client_command in DIRECTIONS:
        for tls in (False, True):
            prefix = f"interop {title}, {'TLS' if tls else 'plain'}:"
            context.guard(results, prefix, lambda: run_cases(
                context, results, prefix, tls, make_server, client_command))


def run_cases(context, results, prefix, tls, make_server, client_command):
    with make_server(context, tls) as server:
        for case in CASES:
            command = client_command(context, tls, server.port, case)
            tries = TRIES.get(case, 1) if client_command is go_client else 1
            problem = problem_of(command)
            while problem and tries > 1:
                tries -= 1
                problem = problem_of(command)
            results.check(f"{prefix} {case}", problem or server.problem())
