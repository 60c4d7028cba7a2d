# SPDX-License-Identifier: MIT
"""An event loop in a thread of its own, for the proxy and the balancer."""
import asyncio
import logging
import threading

# It says so each time that something is written to a peer which has gone, and here that is the point.
logging.getLogger("asyncio").setLevel(logging.ERROR)


class Background:
    """Runs coroutines for threads that are not part of the loop."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def call(self, coroutine):
        """Its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def close(self):
        """Cancels what runs and ends the thread."""
        self.call(self._end_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def _end_all(self):
        """Asks again: asyncio.wait_for of Python 3.11 loses a cancellation that comes together with its result."""
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.1)
