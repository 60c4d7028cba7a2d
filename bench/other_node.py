# SPDX-License-Identifier: MIT
"""The live stream of another node, on PostgreSQL: how late it is, and what listeners there cost those who write here."""
import os

import client
import pairs
import pgcluster
import procs
import servers
import streams
from check import Check, microseconds
from postgres import CREATE, Bench

CLIENTS, TAKEN = 64, 3
RATE, P99_MOST = streams.WRITES, 1.0
LEAST = 0.9  # of the creates without any listener


def _drain(sockets):
    """What the kernel holds for them, so that none of them is slow in the next round."""
    for sock in sockets:
        sock.setblocking(False)
        try:
            while sock.recv(1 << 20):
                pass
        except BlockingIOError:
            pass
        sock.setblocking(True)


def _creates(bench, node):
    return bench.http(CREATE, node, CLIENTS)[0]


def _with_listeners(bench, node, other, tokens):
    """Creates at `node` while streams at `other` wait; nobody reads them until the round is over."""
    sockets, _ = streams.open_streams(other.port, tokens, streams.LISTENERS)
    try:
        done = _creates(bench, node)
        _drain(sockets)
    finally:
        for sock in sockets:
            sock.close()
    return done


def _compare(bench, node, other, tokens):
    return pairs.alternate(TAKEN, lambda: _creates(bench, node), lambda: _with_listeners(bench, node, other, tokens))


def _cost(name, taken):
    ratio = pairs.ratio(taken, "rate")
    plain, changed = pairs.medians(taken, "rate")
    return Check(f"Creates/s on PostgreSQL, {streams.LISTENERS:,} streams on another node, {name}",
                 f"at least {LEAST} of those without",
                 f"{ratio:.2f} ({changed:,.0f}/s of {plain:,.0f}/s)", ratio >= LEAST)


def section(folder, binary, options):
    options.progress("Streams of another node, on PostgreSQL")
    streams.raise_limit()
    settings = {"TRUSTED_PROXIES": client.HOST + "/32"}
    with pgcluster.Cluster(os.path.join(folder, "other-node"), binary) as cluster:
        bench = Bench(cluster, options)
        with open(cluster.tokens, encoding="ascii") as file:
            tokens = file.read().split()
        with cluster.node(**settings) as node, cluster.node(**settings) as other:
            quiet = [servers.register(node, f"quiet-{number}") for number in range(1 + streams.LISTENERS // streams.A_USER)]
            others = _compare(bench, node, other, quiet)
            own = _compare(bench, node, other, tokens)
            _, _, alone = streams.latency(other.port, node.port, tokens, RATE, options, listeners=0)
            times, rate, made = streams.latency(other.port, node.port, tokens, RATE, options)
    if not times:
        raise procs.Failed("no event came")
    each, kept = len(times) / max(1, made), made / max(1, alone)
    p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
    return [
        _cost("of users who do not write", others), _cost("of those who write", own),
        Check(f"Creates on PostgreSQL at {RATE:,}/s, {streams.LISTENERS:,} streams on another node, of those who write",
              f"at least {LEAST} of those without", f"{kept:.2f} ({made:,} instead of {alone:,})", kept >= LEAST),
        Check(f"From a create at one node to its event at another, {streams.LISTENERS:,} streams, {RATE:,} creates/s",
              "p99 at most 1 s, none missing",
              f"p50 {microseconds(p50 * 1e6)}, p99 {microseconds(p99 * 1e6)} at {rate:,.0f}/s; {each:.1f} events a create",
              p99 <= P99_MOST and each >= streams.LISTENERS // len(tokens)),
    ]
