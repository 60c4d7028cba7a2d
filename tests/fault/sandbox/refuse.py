# SPDX-License-Identifier: MIT
"""A kernel that lacks what the sandbox needs: for one process, by a filter of its own."""
import ctypes
import errno
import platform
import struct

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # of a 32-bit word, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBERS = {"landlock_create_ruleset": {"x86_64": 444, "aarch64": 444}, "seccomp": {"x86_64": 317, "aarch64": 277}}


def without(*names, error=errno.ENOSYS):
    """What subprocess.Popen takes as preexec_fn: the calls are answered `error`."""
    numbers = [NUMBERS[name][platform.machine()] for name in names]
    program = [(LOAD, 0, 0, 0)]
    for number in numbers:
        program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ERRNO | error)]
    program.append((RETURN, 0, 0, ALLOW))
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    libc = ctypes.CDLL(None, use_errno=True)
    kept = ctypes.create_string_buffer(code)
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(kept))
    argument = ctypes.create_string_buffer(head)

    def refuse():
        assert kept.raw  # which the head points to
        assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        assert libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.c_void_p(ctypes.addressof(argument)), 0, 0) == 0
    return refuse
