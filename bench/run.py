# SPDX-License-Identifier: MIT
"""Measures Taskhold beside a bare server, Fastify, Flask and pgbench. Started by script/bench, which installs and builds."""
import argparse
import os
import shutil
import signal
import sys
import traceback

import chart
import check
import load
import machine
import procs
import report
import scaling
import sections
import servers

ROOT = os.path.dirname(servers.BENCH)
CACHE = os.path.join(ROOT, ".cache", "bench")
FAILED = "failed: "
FULL_RUN_SECONDS, QUICK_RUN_SECONDS = 2_400, 900


class Options:
    """How long, and what of it."""

    def __init__(self, arguments):
        self.only = arguments.only
        self.before = arguments.before and os.path.abspath(arguments.before)
        self.renew = arguments.renew
        self.whole = not (arguments.quick or arguments.only)
        self.rounds = 3
        self.seconds = 1 if arguments.quick else 5
        self.pairs = 3 if arguments.quick else 5
        self.pair_seconds = 1 if arguments.quick else 3
        self.many_tasks = 100_000 if arguments.quick else 1_000_000
        self.backup_tasks = 100_000 if arguments.quick else 500_000
        self.fill_seconds = 30 if arguments.quick else 120
        self.minutes = 5 if arguments.quick else 15
        self.run_seconds = QUICK_RUN_SECONDS if arguments.quick else FULL_RUN_SECONDS

    def wants(self, key):
        return not self.only or key in self.only

    @staticmethod
    def progress(line):
        print(line, file=sys.stderr, flush=True)


def parse_arguments():
    keys = [case.key for case in load.CASES] + list(sections.ALL)
    parser = argparse.ArgumentParser(
        prog="script/bench",
        description="Prints tables. A whole run, without options, takes about 15 minutes and also writes docs/benchmarks.md, "
                    "docs/benchmarks.svg and the numbers of docs/scaling.md. Anything less writes them to .cache/bench.")
    parser.add_argument("--draw", action="store_true",
                        help="measure nothing: draw docs/benchmarks.svg anew from the numbers in docs/benchmarks.md")
    parser.add_argument("--quick", action="store_true", help="1 s a round, not 5: to see that it works")
    parser.add_argument("--only", action="append", choices=keys, metavar="CASE",
                        help="one of: " + ", ".join(keys) + "; may be given several times")
    parser.add_argument("--renew", action="store_true",
                        help="with --only: put the promises of these sections into docs/benchmarks.md, and leave the rest of it")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "taskhold"),
                        help="the taskhold to measure (default: build/taskhold)")
    parser.add_argument("--before", metavar="BINARY",
                        help="an earlier taskhold, for the section `before`: what its reads, lists and creates cost beside those "
                             "of --binary, in turn")
    arguments = parser.parse_args()
    if arguments.draw:
        draw()
        raise SystemExit
    if arguments.renew and not arguments.only:
        parser.error("--renew goes with --only; a run without either writes all of the page")
    return Options(arguments), os.path.abspath(arguments.binary)


def draw():
    docs = os.path.join(ROOT, "docs")
    with open(os.path.join(docs, "benchmarks.md"), encoding="utf-8") as file:
        write(docs, "benchmarks.svg", chart.draw(file.read()))


def failed(what, error):
    """What goes wrong with one thing is a missed promise, and the next one is measured."""
    if not isinstance(error, (procs.Failed, OSError)):
        traceback.print_exc()
    return check.Check(what, "to be measured", FAILED + str(error), False)


def compare(folder, binary, options):
    """The four servers side by side; gives {case: {server: Result}} and the checks of cases that could not be measured."""
    cases = [case for case in load.CASES if options.wants(case.key)]
    if not cases:
        return {}, []
    options.progress("Starting the four servers")
    taskhold = servers.start_taskhold(folder, binary)
    rivals = [servers.start_fastify(folder), servers.start_flask(folder)]
    for server in (taskhold, *rivals):
        servers.prepare(server)
        servers.prepare_pages(server)
    bare = servers.start_bare(folder, os.path.join(CACHE, "bare"), taskhold)
    running, results, found = [bare, taskhold, *rivals], {}, []
    try:
        for case in cases:
            try:
                results[case.key] = load.compare(case, running, options.seconds, options.rounds, options.progress)
            except Exception as error:  # pylint: disable=broad-exception-caught
                found.append(failed(case.title, error))
    finally:
        for server in running:
            server.stop()
    return results, found


def taskhold_alone(folder, binary, options):
    """The other sections."""
    found = []
    for key, section in sections.ALL.items():
        if options.wants(key):
            try:
                found += section(folder, binary, options)
            except Exception as error:  # pylint: disable=broad-exception-caught
                found.append(failed(f"Section {key}", error))
    return found


def write(folder, name, content):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(content)


def measure(binary, options):
    folder = machine.data_folder(CACHE)
    try:
        if not options.only:
            options.progress(f"Measuring everything: about {options.minutes} minutes on a quiet machine")
        machine.warn_if_busy()
        fsync = machine.fsync_microseconds(folder)
        facts = machine.facts(folder, binary, fsync)
        results, found = compare(folder, binary, options)
        found += report.promises(results, fsync) + taskhold_alone(folder, binary, options)
        found.append(check.Cost("fsync", fsync))
    finally:
        procs.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
    print(report.terminal(facts, results, found))
    if options.renew:
        docs = os.path.join(ROOT, "docs")
        with open(os.path.join(docs, "benchmarks.md"), encoding="utf-8") as file:
            page = file.read()
        write(docs, "benchmarks.md", report.renewed(page, options.only, facts, found))
        options.progress("Written, in docs: these rows of benchmarks.md")
        return
    whole = options.whole and not any(isinstance(each, check.Check) and each.measured.startswith(FAILED) for each in found)
    out = os.path.join(ROOT, "docs") if whole else CACHE
    benchmarks = report.markdown(facts, results, found, options)
    write(out, "benchmarks.md", benchmarks)
    if results:
        write(out, "benchmarks.svg", chart.draw(benchmarks))
    with open(os.path.join(ROOT, "docs", "scaling.md"), encoding="utf-8") as file:
        page = scaling.renewed(file.read(), results, found)
    if page:
        write(out, "scaling.md", page)
    options.progress(f"Written, in {os.path.relpath(out, ROOT)}: benchmarks.md"
                     + (", benchmarks.svg" if results else "") + (", scaling.md" if page else ""))


def end(number, _frame):
    raise SystemExit("the run took too long" if number == signal.SIGALRM else 128 + number)


def main():
    options, binary = parse_arguments()
    for program in filter(None, (binary, options.before)):
        if not os.access(program, os.X_OK):
            raise SystemExit(f"script/bench: {program} is not a program; script/build makes it")
    if options.only and "before" in options.only and not options.before:
        raise SystemExit("script/bench: name the earlier program with --before BINARY")
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    signal.alarm(options.run_seconds)
    sections.raise_file_limit()
    os.sched_setaffinity(0, {int(procs.CLIENT_CORE)})
    try:
        measure(binary, options)
    except procs.Failed as error:
        raise SystemExit(f"script/bench: {error}") from error


if __name__ == "__main__":
    main()
