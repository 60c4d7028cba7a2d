# SPDX-License-Identifier: MIT
"""Says what was measured: a table for the terminal, docs/benchmarks.md, and the promises beside the numbers."""
import servers
from check import MIB, Check, Table, microseconds
from load import CASES

ORDER = ("bare", "taskhold", "fastify", "flask")
NAMES = {"bare": "bare epoll server", "taskhold": "Taskhold", "fastify": "Fastify", "flask": "Flask"}
HEADINGS = ("server", "requests/s", "of bare", "p50", "p99", "CPU a request", "memory")

INTRO = """# Benchmarks

Printed by `script/bench`, which also wrote this page and draws its picture from the tables below. Do not edit it: run the
script. One section is measured anew with `script/bench --only SECTION` (`--help` lists them); with `--renew` its promises
are put here, and the last line below says so.

![Requests a second of Taskhold, Fastify and Flask, on a logarithmic scale; the tables below have the numbers](benchmarks.svg)

All servers run at the same time on one core, and one is asked at a time; `wrk` has another core to itself.
Each number is the median of {rounds} rounds of {seconds} s, and the servers take turns in each round.

| server | what it is |
| --- | --- |
| bare epoll server | `bench/bare`: answers the very bytes that Taskhold answers, and does no work: the limit of this machine and of `wrk` |
| Taskhold | one event loop and the writer, all on the one core; a write is answered after it is on stable storage |
| Fastify | `bench/fastify`: @fastify/jwt, better-sqlite3, WAL, `synchronous=FULL`, scrypt with Node's own parameters |
| Flask | `bench/flask`: PyJWT, sqlite3, WAL, `synchronous=FULL`, Werkzeug's password hash, 3 workers of gunicorn |

Memory is what is resident after the rounds; that of several processes counts shared pages once. CPU is user and system
time of all processes and threads of a server. Each server hashes passwords its own way (Taskhold: Argon2id, 19 MiB, two passes),
so the rates of logins compare hashes more than servers. p99 counts the time a server takes to accept its
connections, which shows where one call is slow and the loop accepts one connection a turn (Node 20). The bare server leaves
its core idle a part of the time, since `wrk` cannot ask faster: compare CPU a request too.

The first of the two cases of lists asks for the same list again and again: Taskhold reads the user's revision from the
database and, while that has not moved, answers with the bytes it made before. The second asks Taskhold for {pages} pages of
20 tasks in turn, four times as many as it keeps, so that nearly every list is read and written anew; the others, which keep
none, are asked for one page.

What a backup and the log cost is measured in {pairs} pairs of {pair_seconds} s, with and without, in turn; the number is
the median of the pairs' ratios. The backups run one after the other all the time, and on both cores; each is
looked at afterwards. "2,000 writes/s" are sent when they are due, and timed from then.
"""


def rate(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"


def cpu(value):
    return f"{value:.1f} µs" if value < 1_000 else microseconds(value)


def rows(results):
    """The lines of one case: results is {server: Result}."""
    bare = results.get("bare")
    for name in ORDER:
        if name in results:
            one = results[name]
            share = f"{one.rate / bare.rate:.3f}" if bare else "-"
            yield (NAMES[name], rate(one.rate), share, microseconds(one.p50), microseconds(one.p99),
                   cpu(one.cpu), f"{one.resident / MIB:.1f} MiB")


def promises(results, fsync):
    """The promises that the comparison can check."""
    checks = []
    for key, least in (("read", 0.6), ("list", 0.4)):
        if key in results:
            checks += reads(key, least, results[key])
    if "create" in results:
        taskhold, fastify = results["create"]["taskhold"].rate, results["create"]["fastify"].rate
        checks += [
            Check("Create a task, on stable storage", "at least 40,000/s where an fsync costs about 140 µs",
                  f"{taskhold:,.0f}/s, fsync {fsync:.0f} µs", taskhold >= 40_000),
            Check("Create a task, against Fastify", "at least 12 times", f"{taskhold / fastify:.1f} times",
                  taskhold >= 12 * fastify),
        ]
    return checks


def reads(key, least, results):
    title = next(case.title for case in CASES if case.key == key)
    taskhold, bare = results["taskhold"], results["bare"]
    return [
        Check(f"{title}, against the bare server", f"at least {least} of its requests/s",
              f"{taskhold.rate / bare.rate:.2f}", taskhold.rate >= least * bare.rate),
        Check(f"{title}, p99", "at most 3 times the bare server's",
              f"{taskhold.p99 / bare.p99:.2f} times ({microseconds(taskhold.p99)}, {microseconds(bare.p99)})",
              taskhold.p99 <= 3 * bare.p99),
    ]


def only(kind, found):
    return [each for each in found if isinstance(each, kind)]


def check_rows(checks):
    return [(check.what, check.promised, check.measured, "met" if check.met else "missed") for check in checks]


def aligned(headings, lines):
    """A table for the terminal: first column to the left, the others to the right."""
    lines = [headings, *lines]
    widths = [max(len(line[at]) for line in lines) for at in range(len(headings))]
    return "\n".join("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                               for at, (cell, width) in enumerate(zip(line, widths))) for line in lines)


def markdown_table(headings, lines, numbers=False):
    rule = ["---"] + ["---:" if numbers else "---"] * (len(headings) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in (headings, rule, *lines))


def comparison(results):
    """The lines of all cases, each case under a line with its title."""
    lines = []
    for case in CASES:
        if case.key in results:
            lines.append((f"{case.title}, {case.connections} connections", *[""] * (len(HEADINGS) - 1)))
            lines += [("  " + first, *rest) for first, *rest in rows(results[case.key])]
    return lines


def terminal(facts, results, found):
    parts = ["\n".join(f"{name}: {value}" for name, value in facts)]
    if results:
        parts.append(aligned(HEADINGS, comparison(results)))
    parts += [table.title + "\n" + aligned(table.headings, table.lines) for table in only(Table, found)]
    parts.append("\n".join(
        f"{'met   ' if check.met else 'MISSED'}  {check.what}: {check.measured}\n        promised: {check.promised}"
        for check in only(Check, found)))
    return "\n\n".join(parts) + "\n"


def section_of(table):
    text = table.text.strip() + "\n\n" if table.text else ""
    return f"## {table.title}\n\n{text}" + markdown_table(table.headings, table.lines, numbers=True) + "\n"


def markdown(facts, results, found, options):
    parts = [INTRO.format(rounds=options.rounds, seconds=options.seconds, pairs=options.pairs,
                          pair_seconds=options.pair_seconds, pages=f"{servers.PAGES:,}")]
    parts.append("## What was promised\n\n" + markdown_table(
        ("what", "promised", "measured", "verdict"), check_rows(only(Check, found))) + "\n")
    parts.append("## The servers side by side\n")
    for case in CASES:
        if case.key in results:
            parts.append(f"### {case.title}, {case.connections} connections\n\n"
                         + markdown_table(HEADINGS, list(rows(results[case.key])), numbers=True) + "\n")
    parts += [section_of(table) for table in only(Table, found)]
    parts.append("## The machine\n\n" + markdown_table(("what", "value"), facts) + "\n")
    return "\n".join(parts)


def renewed(page, keys, facts, found):
    """The page with the promises of some sections as they were measured now, and a line that says so below the machine."""
    head, rest = page.split("## What was promised\n\n")
    table, rest = rest.split("\n\n", 1)
    lines = table.splitlines()
    for row in check_rows(only(Check, found)):
        line = "| " + " | ".join(row) + " |"
        old = [at for at, other in enumerate(lines) if other.startswith(f"| {row[0]} | ")]
        lines[old[0] if old else len(lines):old[0] + 1 if old else len(lines)] = [line]
    program = next(value for name, value in facts if name == "Taskhold")
    added = f"| Measured later: {', '.join(keys)} | {program}, {dict(facts)['Date']} |"
    rest = "\n".join(line for line in rest.splitlines() if not line.startswith("| Measured later: "))
    return f"{head}## What was promised\n\n" + "\n".join(lines) + "\n\n" + rest + "\n" + added + "\n"
