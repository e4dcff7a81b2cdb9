"""Attacks that speak to somebody: ports, names, sockets in files, raw packets."""

from tests.grading.attacks.attack import Attack, retry

__all__ = ["NETWORK"]


def _net(name: str, crime: str) -> Attack:
    return retry("network", name, f"import os, socket\n{crime}")


UNIX = """
sock = socket.socket(socket.AF_UNIX)
sock.connect("@UNIX@")
"""
ABSTRACT = """
sock = socket.socket(socket.AF_UNIX)
sock.connect("\\0course-attack-@PORT@")
"""
KNOWN = """
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket",
             "/run/systemd/private", "/tmp/.X11-unix/X0"):
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        break
    except OSError:
        continue
else:
    raise LookupError
"""
PASSED = """
import array
for fd in (0, 1, 2, 200, 201):
    try:
        sock = socket.socket(fileno=os.dup(fd))
        sock.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0]))])
        break
    except OSError:
        continue
else:
    raise LookupError
"""
NETWORK = (
    _net("a port of the host", "socket.create_connection(('127.0.0.1', @PORT@), 2)"),
    _net(
        "a datagram",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @PORT@))",
    ),
    _net("an address outside", "socket.create_connection(('192.0.2.1', 80), 2)"),
    _net("a name", "socket.getaddrinfo('example.com', 80)"),
    _net("IPv6", "socket.create_connection(('::1', @PORT@), 2)"),
    _net("raw packets", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    _net("the kernel's own socket", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)"),
    _net("packets below IP", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)"),
    _net("a virtual machine's socket", "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    _net("the kernel's cryptography", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)"),
    _net("a socket in a file", UNIX),
    _net("a socket without a file", ABSTRACT),
    _net("sockets of the system", KNOWN),
    _net("descriptors passed", PASSED),
    _net(
        "an address by urllib",
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:@PORT@/', timeout=2)",
    ),
)
