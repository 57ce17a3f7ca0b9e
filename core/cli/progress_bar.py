"""Progress with an ETA on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeVar

from tqdm import tqdm

from core import protocol as m
from core.base.jobs import Progress
from core.capture.open import DetectedInput

T = TypeVar("T")
_FORMAT = "{desc:<10} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"


class ProgressBar:
    """Shows one bar for each stage, from session events or from the progress of a task."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._stage = ""

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def on_event(self, event: m.Event) -> None:
        """Show an event of a session."""
        match event:
            case m.TaskProgress():
                self._show(event.task, event.fraction, str(event.detail))
            case m.TrainingStats():
                self._show(
                    "train",
                    event.progress,
                    f"step {event.step}, {_quality(event)}, "
                    f"level {event.active_levels:.1f}/{event.n_levels}, "
                    f"{event.samples_per_s / 1e3:.0f}k samples/s",
                )
            case m.InputDetected():
                for line in event.lines:
                    self._print(str(line))
            case m.Opened():
                for notice in event.notices:
                    self._print(str(notice))
            case m.Notice():
                self._print(str(event.text))
            case _:
                pass

    def on_progress(self, progress: Progress) -> None:
        """Show a task's progress."""
        if isinstance(progress.partial_result, DetectedInput):
            self.on_event(m.InputDetected(progress.partial_result.lines))
        self._show("working", progress.fraction, str(progress.detail))

    def count(self, items: Iterable[T], total: int, stage: str) -> Iterator[T]:
        """Yield ``items`` and show how many of ``total`` there were."""
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
            interval_s = 0.1 if sys.stderr.isatty() else 15.0  # a log wants few lines
            self._bar = tqdm(
                total=1.0,
                desc=stage,
                bar_format=_FORMAT,
                file=sys.stderr,
                mininterval=interval_s,
                miniters=0,
                dynamic_ncols=True,
            )
        self._bar.set_postfix_str(detail, refresh=False)
        self._bar.update(fraction - self._bar.n)
        if fraction >= 1:
            self._close()

    def _print(self, line: str) -> None:
        tqdm.write(line, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar, self._stage = None, ""


def _quality(stats: m.TrainingStats) -> str:
    """Return how close rendered images come to the photos or to the text prompt."""
    if "sentence" in stats.losses:
        return f"CLIP similarity {1 - stats.losses['sentence']:.3f}"
    return f"PSNR {stats.psnr:.1f} dB"
