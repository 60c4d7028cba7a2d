# SPDX-License-Identifier: MIT
"""pgbench, PostgreSQL's own load generator, with the statements that Taskhold sends."""
import os
import re
import subprocess
import time

import pgcluster
import procs

# What stands for the parameters of Taskhold's statements: a variable of pgbench and its type, or no variable: NULL.
READ = (("user", "uuid"), ("task", "uuid"), ("none", "bigint"))
CREATE = (("user", "uuid"), ("one", "bigint"), ("none", "bigint"), ("none", "bigint"), ("none", "bigint"), ("bytes", "bigint"),
          ("tasks_most", "bigint"), ("bytes_most", "bigint"), ("now", "bigint"), ("one", "bigint"), ("user", "uuid"),
          # the members of a task, and what it is searched by
          ("task", "uuid"), ("title", "text"), (None, "text"), ("none", "bigint"), ("none", "bigint"), (None, "uuid"), (None, "uuid"),
          (None, "text"), (None, "bigint"), (None, "bigint"), (None, "text"), (None, "text"), ("none", "bigint"), (None, "text"),
          (None, "text"), (None, "bigint"), (None, "uuid"), (None, "uuid"), ("now", "bigint"), ("now", "bigint"), (None, "text"))

READ_SCRIPT = f"""\\set task random(0, {pgcluster.TASKS - 1})
\\set user 1 + :task % {pgcluster.USERS}
{{statement}};
"""

# Each connection has users of its own, so that none waits for the lock of another.
CREATE_SCRIPT = f"""\\set user 1 + :client_id + :clients * random(0, ({pgcluster.USERS - 1} - :client_id) / :clients)
\\set made :made + 1
\\set task :first + :client_id * 1000000 + :made
BEGIN ISOLATION LEVEL READ COMMITTED;
{{statement}};
COMMIT;
"""


def bound(statement, parameters):
    """The statement with pgbench's variables in the place of its parameters; numbers become ids."""
    count = max(int(number) for number in re.findall(r"\$(\d+)", statement))
    if count != len(parameters):
        raise procs.Failed(f"pgbench has {len(parameters)} parameters for a statement of {count}: {statement}")

    def text(found):
        name, kind = parameters[int(found[1]) - 1]
        if name is None:
            return f"NULL::{kind}"
        return f"lpad(:{name}, 32, '0')::uuid" if kind == "uuid" else f":{name}::{kind}"
    return re.sub(r"\$(\d+)", text, statement)


def write_script(path, script, statement, parameters):
    with open(path, "w", encoding="utf-8") as file:
        file.write(script.format(statement=bound(statement, parameters)))
    return path


def run(cluster, script, clients, seconds):
    """Transactions a second of so many connections, once all are made; statements are prepared once for each.

    pgbench's time includes that of connecting, though its result does not: when all of it went there, it gets more.
    """
    for connecting in (clients // 128, clients // 32, clients // 8):
        text = _run(cluster, script, clients, seconds + connecting)
        found = re.search(r"^tps = ([\d.]+)", text, re.MULTILINE)
        if found:
            return float(found[1])
    raise procs.Failed(f"pgbench, {os.path.basename(script)}: {text[-500:]}")


def _run(cluster, script, clients, seconds):
    variables = {"clients": clients, "made": 0, "first": int(time.time()) * 10 ** 9, "now": int(time.time() * 1000),
                 "none": 0, "one": 1, "title": pgcluster.TITLE, "bytes": 300, "tasks_most": 10 ** 9, "bytes_most": 1 << 40}
    command = ["taskset", "-c", procs.CLIENT_CORE, str(cluster.programs() / "pgbench"), "--no-vacuum",
               "--protocol=prepared", f"--client={clients}", "--jobs=1", f"--time={seconds}", f"--file={script}",
               "--host=127.0.0.1", f"--port={cluster.port}", "--username=" + cluster.superuser,
               *(f"--define={name}={value}" for name, value in variables.items()), pgcluster.DATABASE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode != 0 or "aborted" in done.stderr:
        raise procs.Failed(f"pgbench, {os.path.basename(script)}: {done.stderr[-500:]}")
    return done.stdout
