"""All that a person looks at while a scene is open.

That is previews of the field, its mesh, the photos beside it, and estimates of an export. Each is
worked at in slices, previews first.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core import protocol as m
from core.base.jobs import Task
from core.capture.scene import Scene
from core.config.mesh import MeshOptions
from core.geometry.view import View
from core.session.viewer.export_size import ExportEstimator
from core.session.viewer.live_mesh import LiveMesh
from core.session.viewer.photo_list import PhotoList
from core.session.viewer.photo_view import PhotoLoader, ShowPhoto
from core.session.viewer.previewer import Previewer, Show
from core.training.trainer import Trainer


class Viewer:
    """Shows a scene and its run.

    In its methods ``training`` says whether the session has other work to do; a ``trainer`` is the
    document's, None before training.

    Args:
        emit: as in `Session`.
        show: as in `Session`.
        show_photo: as in `Session`.
    """

    def __init__(self, emit: Callable[[m.Event], None], show: Show, show_photo: ShowPhoto) -> None:
        self._photo = PhotoLoader(show_photo, emit)
        self._previewer = Previewer(show, self._error_of)
        self._mesh = LiveMesh(emit)
        self._photo_list = PhotoList(emit)
        self._estimator = ExportEstimator(emit)
        self._trainer: Trainer | None = None

    def show_scene(self, scene: Scene | None) -> None:
        """Show ``scene`` from now on; None: there is none."""
        self._photo.forget()
        self._photo_list.open(scene)

    def show_run(self, trainer: Trainer | None) -> None:
        """Show the field of ``trainer`` from now on; nothing known of another one holds."""
        self._trainer = trainer
        self._photo_list.forget()
        self._estimator.forget()
        self.invalidate()

    def invalidate(self) -> None:
        """The field or its region has changed: previews are drawn anew."""
        self._previewer.forget()
        self._mesh.forget()

    def set_view(self, view: View, scene: Scene | None) -> None:
        """Show ``view`` from now on."""
        self._previewer.set_view(view)
        self._photo.look(view, scene)

    def estimate_export(self, options: MeshOptions) -> None:
        """Tell what an export with ``options`` would weigh, now and as training goes on."""
        self._estimator.ask(options)

    @property
    def is_moving(self) -> bool:
        """Whether the person is moving the camera."""
        return self._previewer.moving

    @property
    def is_rendering(self) -> bool:
        """Whether a preview is half drawn."""
        return self._previewer.midway

    @property
    def is_urgent(self) -> bool:
        """Whether somebody waits for a preview."""
        return self._previewer.urgent() or self.is_rendering

    def step_preview(self, training: bool) -> bool:
        """A slice of a preview or mesh that is due; False where none is."""
        trainer = self._trainer
        if trainer is None:
            return False
        if self._mesh.work(trainer, self._previewer.view, training):
            return True
        return self._previewer.work(
            trainer.model, trainer.visible_occupancy, trainer.step_count, training
        )

    def step_photo(self) -> bool:
        """A slice of the photo that is looked through; False where none is wanted."""
        return self._photo.work()

    def step_idle(self, training: bool) -> bool:
        """A slice of what nobody waits for; False where there is none."""
        return not self.is_moving and (
            self._photo_list.work(self._trainer, training)
            or self._estimator.work(self._trainer, training)
        )

    def close(self) -> None:
        """Free everything."""
        self.show_run(None)
        self._photo_list.close()
        self._mesh.close()

    def _error_of(self, view: View, width: int, height: int) -> Task[np.ndarray] | None:
        assert self._trainer is not None
        return self._photo.error_of(self._trainer, view, width, height)
