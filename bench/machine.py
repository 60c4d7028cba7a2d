# SPDX-License-Identifier: MIT
"""What the numbers depend on: the machine, its disk, the versions. Nothing that names the machine itself."""
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata

import procs
import servers
from support import cluster

MEMORY_FILE_SYSTEMS = ("tmpfs", "ramfs")
FSYNC_BLOCK = 4096


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


def first_line(*command):
    return output(*command).partition("\n")[0]


def file_system(folder):
    name = output("df", "--output=fstype", folder).splitlines()[-1]
    return name if name != "-" else output("stat", "--file-system", "--format=%T", folder)  # "-": no mount table


def data_folder(preferred):
    """A new folder on a real disk: a durable write costs nothing in memory, and the numbers would lie."""
    for parent in (preferred, "/var/tmp"):
        os.makedirs(parent, exist_ok=True)
        if file_system(parent) not in MEMORY_FILE_SYSTEMS:
            return tempfile.mkdtemp(prefix="run-", dir=parent)
    raise procs.Failed("both the repository and /var/tmp are in memory; put the repository on a disk")


def fsync_microseconds(folder, count=400):
    """The median time of a write of 4 KiB with fdatasync, in a file that has its size already."""
    path = os.path.join(folder, "fsync")
    times = []
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(fd, bytes(FSYNC_BLOCK * count))
        os.fsync(fd)
        block = os.urandom(FSYNC_BLOCK)
        for at in range(count):
            begin = time.perf_counter()
            os.pwrite(fd, block, at * FSYNC_BLOCK)
            os.fdatasync(fd)
            times.append(time.perf_counter() - begin)
    finally:
        os.close(fd)
        os.unlink(path)
    return statistics.median(times) * 1e6


def cpu_model():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE)
    return found[1] if found else platform.machine()


def distribution():
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")


def node_packages():
    with open(os.path.join(servers.BENCH, "fastify", "package.json")) as file:
        return json.load(file)["dependencies"]


def versions(taskhold):
    """(name, version) of everything that is measured or measures."""
    node = node_packages()
    python = ", ".join(f"{name} {metadata.version(name)}" for name in ("Flask", "PyJWT", "gunicorn"))
    return [
        ("Taskhold", first_line(taskhold, "version")),
        ("Flask", f"Python {platform.python_version()}, {python}"),
        ("Fastify", f"Node {output('node', '--version').lstrip('v')}, "
                    + ", ".join(f"{name} {version}" for name, version in sorted(node.items()))),
        ("PostgreSQL and pgbench", postgres_version()),
        ("C compiler of the bare server", first_line("cc", "--version")),
        ("wrk", output("wrk", "--version").split()[1]),
    ]


def postgres_version():
    programs = cluster.programs()
    return output(str(programs / "postgres"), "--version").split(" ", 2)[2] if programs else "not installed"


def warn_if_busy():
    """Another program on either core spoils the comparison."""
    load = os.getloadavg()[0]
    if load > 0.5:
        print(f"Warning: this machine is busy already (load {load:.2f})", file=sys.stderr)


def facts(folder, taskhold, fsync):
    """(what, value), as they stand in the report."""
    with open("/proc/meminfo") as file:
        memory = int(file.readline().split()[1]) / 1024 / 1024
    return [
        ("Date", time.strftime("%Y-%m-%d", time.gmtime())),
        ("Processor", f"{cpu_model()}, {os.cpu_count()} cores"),
        ("Memory", f"{memory:.0f} GiB"),
        ("System", f"{distribution()}, Linux {platform.release()}"),
        ("Disk", f"{file_system(folder)}, 4 KiB written with fdatasync in {fsync:.0f} µs (median)"),
        *versions(taskhold),
    ]
