"""confine.py SYSTEM-CALLS COMMAND...: runs the command as systemd would with SystemCallFilter= and MemoryDenyWriteExecute=true, by the same library."""

import ctypes
import errno
import mmap
import os
import sys

_ALLOW = 0x7FFF0000
_REFUSE = 0x00050000 | errno.EPERM
_MASKED_EQUAL = 7


class _Comparison(ctypes.Structure):
    _fields_ = (("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("mask", ctypes.c_uint64), ("value", ctypes.c_uint64))


def main(names, command):
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    writable_code = library.seccomp_init(ctypes.c_uint32(_ALLOW))
    for name, bits in (("mmap", mmap.PROT_EXEC | mmap.PROT_WRITE), ("mprotect", mmap.PROT_EXEC), ("pkey_mprotect", mmap.PROT_EXEC)):
        _add(library, writable_code, _REFUSE, name, (_Comparison(2, _MASKED_EQUAL, bits, bits),))
    known = library.seccomp_init(ctypes.c_uint32(_REFUSE))
    for name in names:
        _add(library, known, _ALLOW, name)
    for made in (writable_code, known):
        assert library.seccomp_load(ctypes.c_void_p(made)) == 0
    _prove()
    os.execvp(command[0], command)  # noqa: S606 - the command itself, by its own name


def _add(library, made, action, name, comparisons=()):
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:  # else one of another machine
        array = (_Comparison * len(comparisons))(*comparisons)
        assert library.seccomp_rule_add_array(ctypes.c_void_p(made), ctypes.c_uint32(action), number, len(comparisons), array) == 0, name


def _prove():
    """The filters are there: memory that can be written and run is refused, and so is a system call that no service needs."""
    for forbidden in (lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC), lambda: os.chroot("/")):
        try:
            forbidden()
        except PermissionError:
            continue
        sys.exit("the filters do not work")


if __name__ == "__main__":
    main(sys.argv[1].split(","), sys.argv[2:])
