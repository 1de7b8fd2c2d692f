"""Lines between a page and the lab that are slow, lossy, or break without a word: a TCP proxy in a thread."""

import asyncio
import contextlib
import random
import threading

from conftest import free_port, leave

CHUNK = 16_384


class Line:
    """Listens on ``port`` for the lab on ``target``. Each piece of a stream comes ``delay_s`` late, and in its order; a
    share ``loss`` of them waits ``resend_s`` more, as a lost packet does until TCP has sent it again.
    """

    def __init__(self, target, delay_s=0.0, loss=0.0, resend_s=0.6):
        self.target, self.delay_s, self.loss, self.resend_s = target, delay_s, loss, resend_s
        self.pieces = self.late = 0
        self._writers, self._chance, self._up = set(), random.Random(0), True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = free_port()
        self._server = self._do(asyncio.start_server(self._meet, "127.0.0.1", self.port))
        self.url = f"http://127.0.0.1:{self.port}"

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def cut(self):
        """Break every connection without a goodbye, and take no new one, as when a tablet falls asleep."""
        self._up = False
        self._do(self._abort())

    def mend(self):
        """Take connections again."""
        self._up = True

    def close(self):
        """The end."""
        self.cut()
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        leave(self.port)

    async def _abort(self):
        for writer in list(self._writers):
            writer.transport.abort()
        while len(asyncio.all_tasks()) > 1:  # each ends by itself now
            await asyncio.sleep(0.02)

    async def _meet(self, reader, writer):
        self._writers.add(writer)
        try:
            if not self._up:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(back)
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        except OSError:  # the lab is not there
            pass
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _carry(self, reader, writer):
        waiting = asyncio.Queue()
        sender = asyncio.create_task(self._send(waiting, writer))
        due = 0.0
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK):
                lost = self._chance.random() < self.loss
                self.pieces, self.late = self.pieces + 1, self.late + lost
                due = max(due, self._loop.time() + self.delay_s + self.resend_s * lost)
                waiting.put_nowait((due, piece))
        waiting.put_nowait((due, b""))
        with contextlib.suppress(OSError):
            await sender

    async def _send(self, waiting, writer):
        with contextlib.suppress(OSError):
            while True:
                due, piece = await waiting.get()
                await asyncio.sleep(due - self._loop.time())
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()
