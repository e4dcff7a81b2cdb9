"""A seccomp filter, assembled by hand: a list of system calls that answer "not permitted".

What is refused has no place in a lesson and was part of past escapes from containers: other
processes' memory, kernel keys, mounts, namespaces, io_uring, BPF, most families of sockets. Left
out: machines other than x86-64 and arm64, for which `program` returns None.
Source: Linux, Documentation/userspace-api/seccomp_filter.rst, and the tables of system calls.
"""

import ctypes
import errno
import platform
import struct

__all__ = ["INNER", "INTERNET", "OUTER", "UNIX", "install", "program"]

# name: (x86-64, arm64)
CALLS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
NAMESPACES = 0x7E020080  # every CLONE_NEW... flag
UNIX, INTERNET = 1, 2  # AF_UNIX, AF_INET

FOR_JAILS = {"mount", "umount2", "pivot_root", "unshare", "setns"}
OUTER = frozenset(CALLS) - FOR_JAILS
"""Refused to the process that makes jails."""
INNER = frozenset(CALLS)
"""Refused to a learner's code, and to a judge."""

LOAD, EQUAL, FROM, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCH, FIRST = 0, 4, 16  # offsets in struct seccomp_data


def program(
    refused: frozenset[str], inner: bool = True, families: tuple[int, ...] = (UNIX,)
) -> bytes | None:
    """Return the filter as BPF instructions of 8 bytes, or None on a machine without a table.

    With `inner`, no namespace can be made, and no socket but those of the given families.
    """
    if platform.machine() not in MACHINES:
        return None
    column, arch = MACHINES[platform.machine()]
    lines = [_line(LOAD, ARCH), _line(EQUAL, arch, 1, 0), _line(RETURN, KILL), _line(LOAD, NUMBER)]
    if column == 0:  # the x32 calls are the same ones under other numbers
        lines += [_line(FROM, 0x40000000, 0, 1), _line(RETURN, REFUSE | errno.EPERM)]
    for name in sorted(refused):
        lines += [*_refuse(CALLS[name][column], errno.EPERM)]
    if inner:
        lines += _refuse(CLONE3[column], errno.ENOSYS)
        lines += _no_namespaces(CLONE[column])
        lines += _sockets(SOCKET[column], families)
    return b"".join([*lines, _line(RETURN, ALLOW)])


def _line(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def _refuse(number: int, error: int) -> list[bytes]:
    return [_line(EQUAL, number, 0, 1), _line(RETURN, REFUSE | error)]


def _no_namespaces(number: int) -> list[bytes]:
    """Refuse a clone whose flags, the first argument, name a namespace."""
    return [
        _line(EQUAL, number, 0, 4),
        _line(LOAD, FIRST),
        _line(ANY_BIT, NAMESPACES, 0, 1),
        _line(RETURN, REFUSE | errno.EPERM),
        _line(RETURN, ALLOW),
    ]


def _sockets(number: int, families: tuple[int, ...]) -> list[bytes]:
    """Refuse a socket whose family, the first argument, is not one of those given.

    With "not supported": libzmq ends the process on any other error of its look at the network.
    """
    tests = [_line(EQUAL, f, len(families) - n, 0) for n, f in enumerate(families)]
    ends = [_line(RETURN, REFUSE | errno.EOPNOTSUPP), _line(RETURN, ALLOW)]
    return [_line(EQUAL, number, 0, len(tests) + 3), _line(LOAD, FIRST), *tests, *ends]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(families: tuple[int, ...] = (UNIX,)) -> bool:
    """Put the filter on this process, for good; False where there is no table for the machine."""
    code = program(INNER, families=families)
    if code is None:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    given = _Program(len(code) // 8, code)
    libc.prctl(38, 1, 0, 0, 0)  # no new privileges
    if libc.prctl(22, 2, ctypes.byref(given), 0, 0) != 0:  # a filter
        raise OSError(ctypes.get_errno(), "seccomp was refused")
    return True
