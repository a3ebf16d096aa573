"""Becomes another program that dies with the process that asked for it, even when that one is SIGKILLed.

Runs as ``python -I -S launch.py PARENT SIGNAL ACCOUNT PROGRAM ARGUMENT...`` and is replaced by PROGRAM;
ACCOUNT is ``UID:GID:plain``, ``UID:GID:search``, or ``-`` for the same account. A separate program instead
of ``preexec_fn``, which may deadlock in a process with threads. Needs the standard library only. The death
signal is Linux's; elsewhere a killed parent leaves its children.
"""

import ctypes
import os
import signal
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for ``death_signal`` when the parent's thread ends; end now if it is gone already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"the process {parent} that wanted {sys.argv[4]} has ended")


def become(user: int, group: int, *, search: bool) -> None:
    """Give up root. With ``search`` keep the right to reach directories below a private one (`/root`)."""
    library = ctypes.CDLL(None, use_errno=True)
    library.prctl(PR_SET_KEEPCAPS, 1 if search else 0, 0, 0, 0)
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    if search:
        keep_search_right(library)


def keep_search_right(library: ctypes.CDLL) -> None:
    """Reduce this process to the one capability that passes closed directories; the program inherits it."""
    bit = (
        1 << CAP_DAC_OVERRIDE
    )  # CAP_DAC_READ_SEARCH would be less, but does not run programs and containers lack it
    header, data = struct.pack("Ii", CAPABILITY_VERSION_3, 0), struct.pack("6I", bit, bit, bit, 0, 0, 0)
    if library.capset(header, data) == 0:
        library.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Change the account if one is named, bind the life to the parent's, and become the program."""
    parent, death_signal, account, *program = arguments
    if account != "-":
        user, group, search = account.split(":")
        become(int(user), int(group), search=search == "search")
    die_with(int(parent), int(death_signal))  # after the change of account, which would clear it
    # Python ignores SIGPIPE, and an ignored signal stays ignored in the program that replaces it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - becoming another program is the purpose
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
