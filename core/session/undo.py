"""Edits, taking them back and doing them again.

An edit is what a person corrects of a scene (its region, frame, scale, the photos left out) or
chooses for the next run. Training is no edit: it goes on whatever is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.base.text import NO_TEXT, Text, plural, text
from core.capture.edits import edit_scene, exclude_photos
from core.capture.scene import Scene
from core.config.run import RunOptions
from core.geometry.edits import GroundPlane, KnownLength, QuarterTurn, RegionEdit
from core.geometry.rigid import invert
from core.protocol import (
    Arrangement,
    EditScene,
    ExcludedPhotos,
    ExcludePhotos,
    RunOptionsChanged,
    SetRunOptions,
)
from core.session.opening import arrangement_event

MOST = 200
EditCommand = EditScene | ExcludePhotos | SetRunOptions


@dataclass(frozen=True)
class EditableState:
    """All that edits change: the arrangement of ``scene``, and the settings of the next run."""

    scene: Scene
    choice: RunOptions


class UndoStack:
    """What can be taken back and done again, latest last."""

    def __init__(self) -> None:
        self._done: list[tuple[Text, EditableState]] = []
        self._undone: list[tuple[Text, EditableState]] = []

    @property
    def undo_name(self) -> Text:
        """What would be undone; empty for nothing."""
        return self._done[-1][0] if self._done else NO_TEXT

    @property
    def redo_name(self) -> Text:
        """What would be redone; empty for nothing."""
        return self._undone[-1][0] if self._undone else NO_TEXT

    def push(self, edit: EditCommand, before: EditableState) -> None:
        """``edit`` was made of ``before``; what was undone can no longer be done again."""
        self._done = [*self._done[-MOST + 1 :], (name_of(edit), before)]
        self._undone = []

    def undo(self, now: EditableState) -> EditableState:
        """What there was before the latest edit; there must be one."""
        name, before = self._done.pop()
        self._undone.append((name, now))
        return before

    def redo(self, now: EditableState) -> EditableState:
        """What there was after the edit that was undone last; there must be one."""
        name, apply_edit = self._undone.pop()
        self._done.append((name, now))
        return apply_edit


def apply_edit(edit: EditCommand, before: EditableState, *, trained: bool) -> EditableState:
    """Return ``before`` with ``edit`` made.

    The region of a scene that is not being ``trained`` yet fills the unit ball.

    Raises:
        UserError: the edit cannot be made.
    """
    match edit:
        case EditScene():
            scene = edit_scene(before.scene, edit.edit)
            if not trained and scene.region is not None:
                scene = scene.with_region(scene.region)
            return replace(before, scene=scene)
        case ExcludePhotos():
            return replace(before, scene=exclude_photos(before.scene, edit.names, edit.excluded))
        case SetRunOptions():
            return replace(before, choice=edit.choice)


def with_arrangement_of(scene: Scene, other: Scene, *, trained: bool) -> Scene:
    """Return ``scene`` with the arrangement of ``other``.

    The frame of a scene that is being ``trained`` stays, since the field lies in it.
    """
    ball = scene.scene_from_input if trained else other.scene_from_input
    return replace(
        scene,
        scene_from_input=ball,
        region=other.region,
        upright_from_input=other.upright_from_input,
        units_per_input=other.units_per_input,
        unit=other.unit,
        excluded=other.excluded,
    )


def change_events(
    before: EditableState, now: EditableState
) -> list[Arrangement | ExcludedPhotos | RunOptionsChanged]:
    """What the window has to know of the change."""
    events: list[Arrangement | ExcludedPhotos | RunOptionsChanged] = []
    old, new = before.scene, now.scene
    if not same_arrangement(old, new):
        events.append(arrangement_event(new, new.scene_from_input @ invert(old.scene_from_input)))
    if new.excluded != old.excluded:
        events.append(ExcludedPhotos(tuple(sorted(new.excluded))))
    if now.choice != before.choice:
        events.append(RunOptionsChanged(now.choice))
    return events


def same_arrangement(scene: Scene, other: Scene) -> bool:
    """Whether both are arranged alike."""
    boxes = [s.region for s in (scene, other) if s.region is not None]
    return (
        len(boxes) != 1
        and all(np.array_equal(b.frame_from_cube, boxes[0].frame_from_cube) for b in boxes)
        and np.array_equal(scene.scene_from_input, other.scene_from_input)
        and np.array_equal(scene.upright_from_input, other.upright_from_input)
        and (scene.units_per_input, scene.unit) == (other.units_per_input, other.unit)
    )


def name_of(edit: EditCommand) -> Text:
    """What is undone, in words."""
    match edit:
        case EditScene(RegionEdit()):
            return text("the region")
        case EditScene(QuarterTurn(axis)):
            return text("the rotation about {axis}", axis=axis.upper())
        case EditScene(GroundPlane()):
            return text("the ground")
        case EditScene(KnownLength()):
            return text("the length")
        case ExcludePhotos(names, excluded):
            n, photo = len(names), names[0] if names else ""
            if excluded:
                return plural("excluding {photo}", "excluding {n} photos", n=n, photo=photo)
            return plural("including {photo}", "including {n} photos", n=n, photo=photo)
        case _:
            return text("the settings")
