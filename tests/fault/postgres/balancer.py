# SPDX-License-Identifier: MIT
"""A small balancer: every request goes to the next node, also those of one connection.

It asks each node for /readyz all the time and passes by those that do not answer at once; what was sent to such a node
gets no answer, and is never sent twice."""
import asyncio

from background import Background

PROBE = b"GET /readyz HTTP/1.1\r\nHost: balancer\r\nConnection: close\r\n\r\n"
PROBE_SECONDS, PROBE_PAUSE = 0.5, 0.05


class Node:
    """Where one server listens, and whether it answers."""

    def __init__(self, where):
        self.where, self.well = where, True
        self.requests = 0
        self.writers = set()  # of requests under way


async def read_chunks(reader, out):
    """A body of unknown length: gives each chunk to `out`, as it comes."""
    size = None
    while size != 0:
        line = await reader.readline()
        size = int(line, 16)
        await out(line + await reader.readexactly(size + 2))


async def read_message(reader, method=None, out=None):
    """One request or answer as bytes, with its first line; None at the end of the stream. What has no known length goes to
    `out` meanwhile, where there is one, and its bytes are none: a stream of events may have no end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first = head.split(b"\r\n", 1)[0].split(b" ")
    status = first[1] if first[0].startswith(b"HTTP/") else b""
    length, chunked = 0, False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        chunked = chunked or name.lower() == b"transfer-encoding"
    if method == b"HEAD" or status in (b"204", b"304"):
        length, chunked = 0, False
    parts = [head]

    async def keep(part):
        parts.append(part)

    if chunked and out:
        await out(parts.pop())
    if chunked:
        await read_chunks(reader, out or keep)
    else:
        parts.append(await reader.readexactly(length))
    return first[0], head, b"".join(parts)


def closes(head):
    """Whether the connection ends after this message."""
    return b"\r\nconnection: close\r\n" in head.lower()


class Balancer:
    """Listens on a free port of 127.0.0.1. `nodes`: pairs of host and port."""

    def __init__(self, nodes):
        self.nodes = [Node(where) for where in nodes]
        self.turn = 0
        self.background = Background()
        self.listener = self.background.call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.host, self.port = self.listener.sockets[0].getsockname()[:2]
        self.background.call(self._start_probes())

    def well(self):
        """The nodes that answer, as pairs of host and port."""
        return [node.where for node in self.nodes if node.well]

    def close(self):
        """Ends all connections."""

        async def stop():
            self.listener.close()

        self.background.call(stop())
        self.background.close()

    async def _start_probes(self):
        self.probes = [asyncio.ensure_future(self._probe(node)) for node in self.nodes]

    async def _probe(self, node):
        while True:
            try:
                node.well = await asyncio.wait_for(self._ask(node), PROBE_SECONDS)
            except (OSError, asyncio.TimeoutError):
                node.well = False
            if not node.well:
                for writer in list(node.writers):
                    writer.transport.abort()
            await asyncio.sleep(PROBE_PAUSE)

    async def _ask(self, node):
        reader, writer = await asyncio.open_connection(*node.where)
        try:
            writer.write(PROBE)
            return (await reader.readline()).split(b" ")[1:2] == [b"200"]
        finally:
            writer.close()

    def _next(self):
        for _ in self.nodes:
            self.turn += 1
            node = self.nodes[self.turn % len(self.nodes)]
            if node.well:
                return node
        return self.nodes[self.turn % len(self.nodes)]

    async def _serve(self, reader, writer):
        lines = {}
        try:
            while (request := await read_message(reader)) is not None:
                method, head, raw = request
                answer = await self._pass_on(self._next(), lines, method, raw, writer)
                if answer is None:
                    return
                writer.write(answer)
                await writer.drain()
                if closes(head):
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            for _, line in lines.values():
                line.close()
            writer.close()

    async def _pass_on(self, node, lines, method, raw, writer):
        """The node's answer, on a connection that is kept for the next time; None when there is none."""
        reader, line = lines.pop(node, None) or await asyncio.open_connection(*node.where)
        node.requests += 1
        node.writers.add(line)

        async def out(part):
            writer.write(part)
            await writer.drain()

        try:
            line.write(raw)
            answer = await read_message(reader, method, out)
        finally:
            node.writers.discard(line)
        if answer is None or closes(answer[1]):
            line.close()
        else:
            lines[node] = reader, line
        return answer and answer[2]
