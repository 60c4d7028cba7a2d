# SPDX-License-Identifier: MIT
"""A machine of another size: what the program reads of it is faked, and where one can be made, a control group holds it."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1 << 20


def missing():
    """Why none can be made; None when it can."""
    if "TASKHOLD_BIN" in os.environ:
        return "a library cannot stand before a sanitizer's"
    return None if shutil.which("cc") else "there is no C compiler"


def library(folder):
    """The faking library, compiled into `folder`."""
    made = folder / "machine.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(made), str(HERE / "machine.c"), "-ldl"], check=True)
    return made


def write_groups(root, version, cores, mib):
    """The files of the control group that a container or a service sees; None sets no limit."""
    period = 100_000
    quota = None if cores is None else int(cores * period)
    if version == 1:
        files = {"proc/self/cgroup": "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n",
                 "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{mib * MIB if mib else (1 << 63) - 4096}\n",
                 "sys/fs/cgroup/cpu/cpu.cfs_quota_us": f"{quota or -1}\n",
                 "sys/fs/cgroup/cpu/cpu.cfs_period_us": f"{period}\n"}
    else:
        files = {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": f"{quota or 'max'} {period}\n",
                 "sys/fs/cgroup/memory.max": f"{mib * MIB if mib else 'max'}\n"}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


class Size:
    """Cores that can be seen, cores that a control group grants, MiB of memory, and who says those: `version` of the
    control groups, or None where the machine itself (a virtual one) has no more."""

    def __init__(self, seen, granted, mib, version=2):
        self.seen, self.granted, self.mib, self.version = seen, granted, mib, version

    @property
    def cores(self):
        """How many the program may keep busy."""
        return min(self.seen, -(-int(self.granted * 1000) // 1000) if self.granted else self.seen)

    def environment(self, folder, preloaded):
        """What makes the program see it."""
        root = folder / "root"
        root.mkdir()
        given = {"LD_PRELOAD": str(preloaded), "MACHINE_CORES": str(self.seen), "MACHINE_ROOT": str(root)}
        if self.version is None:
            return {**given, "MACHINE_MIB": str(self.mib)}
        write_groups(root, self.version, self.granted, self.mib)
        return given
