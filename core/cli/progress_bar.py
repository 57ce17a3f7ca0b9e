"""Progress with an ETA on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TypeVar

from tqdm import tqdm

from core import protocol as m
from core.base.jobs import Progress
from core.capture.open import DetectedInput

T = TypeVar("T")
_FORMAT = "{desc:<10} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"


class ProgressBar:
    """One bar per stage, fed by session events or a task's progress."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None
        self._stage = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def event(self, event: m.Event) -> None:
        """Show what a session says."""
        match event:
            case m.TaskProgress():
                self._show(event.task, event.fraction, str(event.detail))
            case m.TrainingStats():
                self._show(
                    "train",
                    event.progress,
                    f"step {event.step}, {_came(event)}, "
                    f"level {event.active_levels:.1f}/{event.n_levels}, "
                    f"{event.samples_per_s / 1e3:.0f}k samples/s",
                )
            case m.InputDetected():
                for line in event.lines:
                    self._say(str(line))
            case m.Opened():
                for notice in event.notices:
                    self._say(str(notice))
            case m.Notice():
                self._say(str(event.text))
            case _:
                pass

    def progress(self, progress: Progress) -> None:
        """Show a task's progress."""
        if isinstance(progress.partial_result, DetectedInput):
            self.event(m.InputDetected(progress.partial_result.lines))
        self._show("working", progress.fraction, str(progress.detail))

    def counted(self, items: Iterator[T], total: int, stage: str) -> Iterator[T]:
        """``items``, shown as they pass."""
        for i, item in enumerate(items):
            self._show(stage, (i + 1) / max(total, 1), f"{i + 1} of {total}")
            yield item

    def _show(self, stage: str, fraction: float, detail: str) -> None:
        if stage != self._stage:
            self._close()
            self._stage = stage
        if self._bar is None:
            if fraction >= 1:
                return
            pause = 0.1 if sys.stderr.isatty() else 15.0  # a log wants few lines
            self._bar = tqdm(
                total=1.0,
                desc=stage,
                bar_format=_FORMAT,
                file=sys.stderr,
                mininterval=pause,
                miniters=0,
                dynamic_ncols=True,
            )
        self._bar.set_postfix_str(detail, refresh=False)
        self._bar.update(fraction - self._bar.n)
        if fraction >= 1:
            self._close()

    def _say(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar, self._stage = None, ""


def _came(stats: m.TrainingStats) -> str:
    """How well what is to be shown is shown."""
    if "sentence" in stats.losses:
        return f"likeness {1 - stats.losses['sentence']:.3f}"
    return f"PSNR {stats.psnr:.1f} dB"
