"""Ports for servers that tests start: import with the folder test/ on the path."""

import random
import socket

_kept = []  # sockets, each with a port that is ours until we end


def free_port():
    """A port that the system gives to nobody else; a server that sets SO_REUSEADDR, as all do, may listen on it.

    It lies below those that the system hands to outgoing connections.
    """
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        probe = socket.socket()
        try:
            probe.bind(("", port))  # fails where anybody has it, bound or listening
        except OSError:
            probe.close()
            continue
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _kept.append(probe)
        return port
    raise AssertionError("no free port between 20000 and 32000")
