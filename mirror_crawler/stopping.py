"""SIGTERM and SIGINT (Ctrl-C) from the first moments of a command that has to end in order.

Scrapy needs a second until it hears them: before, they would kill, and while a spider is being opened its own handlers
would leave it in the middle. So the first signal is kept here until somebody can act on it; the second one kills.

Who starts a command can have it hear signals even before Python has begun: block them, and they wait for
:meth:`Stop.listen`. The schedule does so (:func:`held_back`), and the image with ``env --block-signal``.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
_HEEDING = ("crawl", "schedule")
"""Commands that ask whether they were told to stop. All others can be killed at any time."""


class Stop:
    """Whether this process was told to stop."""

    def __init__(self) -> None:
        self.asked = False
        self._act: Callable[[], object] | None = None

    def begin(self, arguments: Sequence[str]) -> None:
        """Listen when the command line is one of a command that heeds signals, and let none wait any longer."""
        if next((word for word in arguments[1:] if not word.startswith("-")), "") in _HEEDING:
            self.listen()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def listen(self, act: Callable[[], object] | None = None) -> None:
        """Hear the signals from now on, and ``act`` when told to stop: in a signal handler, or now if it has been."""
        self._act = act
        for number in SIGNALS:
            signal.signal(number, self._hear)
        if self.asked and act is not None:
            act()

    def over(self) -> None:
        """All is done: a signal from now on would only hide how it ended."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.asked = True
        if self._act is not None:
            self._act()


stop = Stop()
"""That of this process."""


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Signals wait, here and in every process that is started meanwhile until that listens."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
