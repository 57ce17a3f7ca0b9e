"""All that a person looks at while a scene is open: pictures of the field, its mesh, the photos
beside it, and figures of an export. Each is worked at in slices, pictures first."""

from __future__ import annotations

from collections.abc import Callable

from core import protocol as m
from core.capture.scene import Scene
from core.config.run import MeshOptions
from core.geometry.view import View
from core.session.viewer.export_size import MeshSizer
from core.session.viewer.live_mesh import LiveMesh
from core.session.viewer.photo_list import Album
from core.session.viewer.photo_view import ShowPhoto, TruthFinder
from core.session.viewer.previewer import Bands, Previewer, Show
from core.training.trainer import Trainer


class Watching:
    """``emit``, ``show`` and ``show_photo``: see `Session`. The ``trainer`` that is asked about is
    the session's own, None before there is one; ``training``: whether it has other work to do."""

    def __init__(self, emit: Callable[[m.Event], None], show: Show, show_photo: ShowPhoto) -> None:
        self.trainer: Trainer | None = None
        self._truth = TruthFinder(show_photo, emit)
        self._previewer = Previewer(show, self._error_of)
        self._live = LiveMesh(emit)
        self._album = Album(emit)
        self._sizer = MeshSizer(emit)
        self._drew = False

    def open(self, scene: Scene | None) -> None:
        """From now on this is the scene; None: there is none."""
        self._truth.forget()
        self._album.open(scene)

    def watch(self, trainer: Trainer | None) -> None:
        """From now on this is what is looked at, and nothing known of another holds."""
        self.trainer = trainer
        self._album.forget()
        self._sizer.forget()
        self.forget_pictures()

    def forget_pictures(self) -> None:
        """The field or its region is another one now."""
        self._previewer.forget()
        self._live.forget()

    def look(self, view: View, scene: Scene | None) -> None:
        """Show ``view`` from now on."""
        self._previewer.set_view(view)
        self._truth.look(view, scene)

    def ask_size(self, options: MeshOptions) -> None:
        """Say what an export with ``options`` would weigh."""
        self._sizer.ask(options)

    @property
    def moving(self) -> bool:
        """Whether the person is moving the camera."""
        return self._previewer.moving

    @property
    def midway(self) -> bool:
        """Whether a picture is half drawn."""
        return self._previewer.midway

    def first(self, training: bool) -> bool:
        """A slice of what somebody waits for, in turn with all other work; False if that is due."""
        waits = self._previewer.urgent() or self.midway
        self._drew = (waits or not self._drew) and self.draw(training)
        return self._drew

    def draw(self, training: bool) -> bool:
        """A slice of a picture or mesh that is due; False where none is."""
        if self.trainer is None:
            return False
        if self._live.work(self.trainer, self._previewer.view, training):
            return True
        trainer = self.trainer
        return self._previewer.work(trainer.model, trainer.shown, trainer.step_count, training)

    def read(self) -> bool:
        """A slice of the photo that is looked through; False where none is wanted."""
        return self._truth.work()

    def look_ahead(self, training: bool) -> bool:
        """A slice of what nobody waits for; False where there is none."""
        return not self.moving and (
            self._album.work(self.trainer, training) or self._sizer.work(self.trainer, training)
        )

    def close(self) -> None:
        """Free everything."""
        self._album.close()
        self._sizer.forget()
        self._live.close()

    def _error_of(self, view: View, width: int, height: int) -> Bands | None:
        assert self.trainer is not None
        return self._truth.error_of(self.trainer, view, width, height)
