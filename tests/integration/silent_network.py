"""A network between Home Assistant and the agent that can lose every packet without a word."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


class SilentNetwork:
    """Passes bytes on until it is cut; who was connected then never hears of the other again."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._cut = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def cut(self) -> None:
        """Lose everything from now on."""
        self._cut.set()

    def mend(self) -> None:
        """Let new connections through."""
        self._cut = asyncio.Event()

    async def _connect(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        cut = self._cut
        with suppress(asyncio.CancelledError):
            if cut.is_set():
                await asyncio.Event().wait()
            far_reader, far_writer = await asyncio.open_connection(*self._to)
            await asyncio.gather(
                self._pass_on(reader, far_writer, cut), self._pass_on(far_reader, writer, cut)
            )

    @staticmethod
    async def _pass_on(reader: StreamReader, writer: StreamWriter, cut: asyncio.Event) -> None:
        while data := await reader.read(1 << 16):
            if not cut.is_set():
                writer.write(data)
        if not cut.is_set():
            writer.close()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def silent_network(host: str, port: int) -> AsyncGenerator[SilentNetwork]:
    """Listen on a port of its own for as long as it is needed."""
    network = SilentNetwork(host, port)
    server = await asyncio.start_server(network._connect, host)
    network.port = server.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        server.close()
        await network.stop()
