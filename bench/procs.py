# SPDX-License-Identifier: MIT
"""Processes that are measured: started on one core, looked at through /proc, stopped by id.

Every process started here leads its own group and is stopped by stop_all(), whatever happens.
"""
import os
import signal
import subprocess

SERVER_CORE, CLIENT_CORE = "0", "1"
ANY_CORE = "0,1"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_started = []


class Failed(Exception):
    """Something the benchmark needs did not work; the text says what."""


def start(command, log, env=None, cwd=None, core=SERVER_CORE):
    """Starts command on a core; its output goes to the file log."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)
    _started.append(process)
    return process


def stop(process, seconds=20):
    """Ends a process and its group: SIGTERM, then SIGKILL after some seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    if process in _started:
        _started.remove(process)


def stop_all():
    for process in list(_started):
        stop(process, seconds=5)


def tree(pid):
    """pid and all its descendants."""
    pids = [pid]
    for at in pids:
        try:
            for thread in os.listdir(f"/proc/{at}/task"):
                with open(f"/proc/{at}/task/{thread}/children") as file:
                    pids += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            continue
    return pids


def cpu_by_process(pid):
    """CPU time in seconds, user and system, of each process of the tree."""
    spent = {}
    for each in tree(pid):
        try:
            with open(f"/proc/{each}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        spent[each] = (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND
    return spent


def cpu_seconds(pid):
    """CPU time, user and system, of all processes and threads of the tree."""
    return sum(cpu_by_process(pid).values())


def cpu_since(pid, before):
    """CPU time of the tree since cpu_by_process gave `before`. What processes that have ended spent is not in it."""
    return sum(spent - before.get(each, 0) for each, spent in cpu_by_process(pid).items())


def _field_bytes(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
    raise Failed(f"{path} has no {name}")


def resident_bytes(pid):
    """Resident memory. Of several processes: shared pages are counted once (Pss)."""
    pids = tree(pid)
    if len(pids) == 1:
        return _field_bytes(f"/proc/{pid}/status", "VmRSS")
    return sum(_field_bytes(f"/proc/{each}/smaps_rollup", "Pss") for each in pids)


def peak_bytes(pid):
    """The most resident memory the process ever had."""
    return _field_bytes(f"/proc/{pid}/status", "VmHWM")


def thread_names(pid):
    names = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/comm") as file:
            names.append(file.read().strip())
    return names
