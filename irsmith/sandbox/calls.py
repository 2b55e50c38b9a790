"""The system calls that a worker's child may make, as a filter for the kernel (seccomp).

What is not named is refused with EPERM: no sockets, no new processes or threads, no other
program, no signals to others, no change of anything about a file but its content. Files are
opened under Landlock (:mod:`irsmith.sandbox.confine`).
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterable, Mapping

_ALLOWED = (
    "read:0/63 write:1/64 readv:19/65 writev:20/66 pread64:17/67 pwrite64:18/68 lseek:8/62 "
    "close:3/57 fstat:5/80 newfstatat:262/79 statx:332/291 open:2/- openat:257/56 "
    "readlink:89/- readlinkat:267/78 stat:4/- lstat:6/- access:21/- faccessat:269/48 "
    "faccessat2:439/439 getdents64:217/61 getcwd:79/17 dup:32/23 dup2:33/- dup3:292/24 "
    "ftruncate:77/46 fadvise64:221/223 poll:7/- ppoll:271/73 select:23/- pselect6:270/72 "
    "mmap:9/222 munmap:11/215 mprotect:10/226 mremap:25/216 madvise:28/233 brk:12/214 "
    "mincore:27/232 msync:26/227 rt_sigaction:13/134 rt_sigprocmask:14/135 "
    "rt_sigreturn:15/139 sigaltstack:131/132 rt_sigpending:127/136 setitimer:38/103 "
    "getitimer:36/102 alarm:37/- clock_gettime:228/113 clock_getres:229/114 "
    "clock_nanosleep:230/115 nanosleep:35/101 gettimeofday:96/169 time:201/- times:100/153 "
    "getrusage:98/165 getrlimit:97/163 sysinfo:99/179 uname:63/160 futex:202/98 "
    "futex_waitv:449/449 set_robust_list:273/99 get_robust_list:274/100 rseq:334/293 "
    "membarrier:324/283 restart_syscall:219/128 sched_yield:24/124 "
    "sched_getaffinity:204/123 getcpu:309/168 getpid:39/172 getppid:110/173 gettid:186/178 "
    "getuid:102/174 geteuid:107/175 getgid:104/176 getegid:108/177 getpgrp:111/- "
    "getpgid:121/155 getsid:124/156 arch_prctl:158/- set_tid_address:218/96 "
    "getrandom:318/278 exit:60/93 exit_group:231/94 pause:34/-"
)
"""Name, number on x86-64, number on AArch64."""
_FOREIGN = (
    "socket:41/198 ptrace:101/117 process_vm_readv:310/270 process_vm_writev:311/271 "
    "kexec_load:246/104 kexec_file_load:320/294 reboot:169/142 swapon:167/224 "
    "swapoff:168/225 mount:165/40 umount2:166/39 move_mount:429/429 open_tree:428/428 "
    "fsopen:430/430 fsmount:432/432 fsconfig:431/431 fspick:433/433 mount_setattr:442/442 "
    "pivot_root:155/41 chroot:161/51 setns:308/268 unshare:272/97 bpf:321/280 "
    "perf_event_open:298/241 init_module:175/105 finit_module:313/273 "
    "delete_module:176/106 userfaultfd:323/282 add_key:248/217 request_key:249/218 "
    "keyctl:250/219 io_uring_setup:425/425 chmod:90/- fchmod:91/52 fchmodat:268/53 "
    "fchmodat2:452/452 chown:92/- fchown:93/55 lchown:94/- fchownat:260/54 utime:132/- "
    "utimes:235/- futimesat:261/- utimensat:280/88 setxattr:188/5 lsetxattr:189/6 "
    "fsetxattr:190/7 removexattr:197/14 lremovexattr:198/15 fremovexattr:199/16 "
    "mknod:133/- mknodat:259/33 settimeofday:164/170 clock_settime:227/112 "
    "sethostname:170/161 setdomainname:171/162 acct:163/89 quotactl:179/60 syslog:103/116 "
    "pidfd_getfd:438/438 pidfd_open:434/434 pidfd_send_signal:424/424 "
    "setsid:112/157 setpgid:109/154"
)
"""What a whole program may not call (the emulator with what it runs). It stays in its group
of processes, so that killing the group ends whatever it started."""
_TO_ITSELF = {"kill": (62, 129), "tgkill": (234, 131), "tkill": (200, 130)}
_LIMITS, _FILE, _DEVICE = (302, 261), (72, 25), (16, 29)
_SENDS_SIGNALS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX
_ASKS = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451)  # is it a terminal, how wide, what waits

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001
_ARGUMENTS, _MACHINE, _X32 = 16, 4, 0x40000000


def worker_filter(pid: int) -> bytes:
    """The program for a child that compiles and runs foreign code in its own process.

    Args:
        pid: of the child: the only one that it may send signals to.

    Returns:
        ``struct sock_filter`` side by side; empty on a machine that is not known.
    """
    column = _column()
    if column is None:
        return b""
    ours = (0, pid)
    parts = [_allow(number) for number in _numbers(_ALLOWED, column)]
    parts += [_only(numbers[column], 0, (pid,)) for numbers in _TO_ITSELF.values()]
    parts += [_only(_LIMITS[column], 0, ours), _only(_DEVICE[column], 1, _ASKS)]
    parts.append(_unless(_FILE[column], 1, _SENDS_SIGNALS))
    return _head() + b"".join(parts) + _step(_RETURN, 0, 0, _REFUSE)


def program_filter() -> bytes:
    """The program for foreign programs that need processes of their own; see above."""
    column = _column()
    if column is None:
        return b""
    parts = [
        _step(_EQUAL, 0, 1, number) + _step(_RETURN, 0, 0, _REFUSE)
        for number in _numbers(_FOREIGN, column)
    ]
    return _head() + b"".join(parts) + _step(_RETURN, 0, 0, _ALLOW)


def _column() -> int | None:
    machine = _MACHINES.get(platform.machine())
    return machine[1] if machine else None


def _numbers(table: str, column: int) -> Iterable[int]:
    for entry in table.split():
        number = entry.split(":")[1].split("/")[column]
        if number != "-":
            yield int(number)


def _step(code: int, yes: int, no: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def _head() -> bytes:
    """Calls in another machine's way are refused: they have other numbers."""
    return (
        _step(_LOAD, 0, 0, _MACHINE)
        + _step(_EQUAL, 1, 0, _MACHINES[platform.machine()][0])
        + _step(_RETURN, 0, 0, _REFUSE)
        + _step(_LOAD, 0, 0, 0)
        + _step(_AT_LEAST, 0, 1, _X32)
        + _step(_RETURN, 0, 0, _REFUSE)
    )


def _allow(number: int) -> bytes:
    return _step(_EQUAL, 0, 1, number) + _step(_RETURN, 0, 0, _ALLOW)


def _only(number: int, argument: int, values: tuple[int, ...]) -> bytes:
    """Allowed with these values of an argument."""
    return _choice(number, argument, dict.fromkeys(values, _ALLOW), _REFUSE)


def _unless(number: int, argument: int, values: tuple[int, ...]) -> bytes:
    """Allowed but with these."""
    return _choice(number, argument, dict.fromkeys(values, _REFUSE), _ALLOW)


def _choice(number: int, argument: int, answers: Mapping[int, int], other: int) -> bytes:
    body = _step(_LOAD, 0, 0, _ARGUMENTS + 8 * argument)
    for value, answer in answers.items():
        body += _step(_EQUAL, 0, 1, value) + _step(_RETURN, 0, 0, answer)
    body += _step(_RETURN, 0, 0, other)
    return _step(_EQUAL, 0, len(body) // 8, number) + body
