"""Commands that ask somebody: the real ones, at a terminal of their own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.letter_commands import PATIENCE, Said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_ASKS = b"to go on"


class Prompted:
    """A command that has shown its plan and waits for its number."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int, said: bytes) -> None:
        self._process, self._terminal, self._said = process, terminal, said

    async def answer(self, number: int) -> Said:
        """Type a number; how it ended, and what it printed."""
        os.write(self._terminal, b"%d\n" % number)
        out, err = await asyncio.wait_for(self._process.communicate(), PATIENCE)
        code = self._process.returncode
        assert code is not None
        return Said(code, out.decode(), (self._said + err).decode())


@asynccontextmanager
async def prompted(environment: Mapping[str, str], *arguments: str) -> AsyncIterator[Prompted]:
    """Begin `streams …`, and come back once it asks for its number."""
    near, far = os.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", *arguments),
        env={**os.environ, **environment},
        stdin=far,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(far)
    try:
        assert process.stderr is not None
        said = await asyncio.wait_for(process.stderr.readuntil(_ASKS), PATIENCE)
        yield Prompted(process, near, said)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(near)
