"""The way of a film's camera, through views that a person chose. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from core.geometry.view import CameraPath


def smooth_path(keys: np.ndarray, n: int, closed: bool) -> np.ndarray:
    """As in `core.geometry.camera_path`, which is imported here so that the window opens sooner."""
    from core.geometry import camera_path as path

    return path.smooth_path(keys, n, closed)


@dataclass(frozen=True)
class FilmPath:
    """``views`` in perspective, in the scene frame; ``closed``: back to the first."""

    views: tuple[OrbitCamera, ...] = ()
    seconds: float = 6.0
    rate: int = 30
    closed: bool = False

    @property
    def n_frames(self) -> int:
        return max(2, round(self.seconds * self.rate))

    @property
    def keys(self) -> np.ndarray:
        """[K, 4, 4] scene_from_camera."""
        return np.array([view.scene_from_camera for view in self.views]).reshape(-1, 4, 4)

    @staticmethod
    def of(path: CameraPath, axes: tuple[float, ...]) -> FilmPath:
        """Along ``path``; ``axes`` as in `OrbitCamera`."""
        camera = OrbitCamera(axes=axes)
        views = (camera.looking_through(np.array(v), path.fov_y) for v in path.views)
        return FilmPath(tuple(views), path.seconds, path.rate, path.closed)

    @property
    def camera_path(self) -> CameraPath:
        """As it is saved and filmed."""
        keys = tuple(tuple(key.ravel().tolist()) for key in self.keys)
        fov_y = self.views[0].fov_y if self.views else CameraPath().fov_y
        return CameraPath(keys, fov_y, self.seconds, self.rate, self.closed)

    def added(self, view: OrbitCamera) -> FilmPath:
        """With one more view at the end."""
        return replace(self, views=(*self.views, replace(view, parallel=False)))

    def carried(self, similarity: np.ndarray, axes: tuple[float, ...]) -> FilmPath:
        """Through the same views of a scene that was moved; as `OrbitCamera.carried`."""
        return replace(self, views=tuple(v.carried(similarity, axes) for v in self.views))

    def at(self, share: float) -> OrbitCamera:
        """The view when ``share`` of the film, in [0, 1), is over; there must be two views."""
        frame = min(int(share * self.n_frames), self.n_frames - 1)
        pose = smooth_path(self.keys, self.n_frames, self.closed)[frame]
        return self.views[0].looking_through(pose, self.views[0].fov_y)

    def line(self) -> np.ndarray:
        """[N, 3] places along the way, few enough to draw; none where there is no way yet."""
        if len(self.views) < 2:
            return np.zeros((0, 3))
        n = 24 * len(self.views)
        places = smooth_path(self.keys, n, self.closed)[:, :3, 3]
        return np.concatenate([places, places[:1]]) if self.closed else places
