"""The camera path of a video, through keyframes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from app.viewport.orbit_camera import OrbitCamera
from core.geometry.view import CameraPath


def smooth_path(keys: np.ndarray, n: int, closed: bool) -> np.ndarray:
    """Like `core.geometry.camera_path.smooth_path`, imported late: the window opens sooner."""
    from core.geometry import camera_path as path

    return path.smooth_path(keys, n, closed)


@dataclass(frozen=True)
class KeyframePath:
    """A smooth path through keyframes."""

    keyframes: tuple[OrbitCamera, ...] = ()
    """Perspective cameras, scene frame."""
    seconds: float = 6.0
    """Duration."""
    rate: int = 30
    """Frames per second."""
    closed: bool = False
    """Whether the path returns to the first keyframe."""

    @property
    def n_frames(self) -> int:
        """Number of frames of the video."""
        return max(2, round(self.seconds * self.rate))

    @property
    def poses(self) -> np.ndarray:
        """scene_from_camera of the keyframes, [K, 4, 4]."""
        return np.array([view.scene_from_camera for view in self.keyframes]).reshape(-1, 4, 4)

    @staticmethod
    def from_camera_path(path: CameraPath, axes: tuple[float, ...]) -> KeyframePath:
        """Return the path of a project; ``axes`` as in `OrbitCamera`."""
        camera = OrbitCamera(axes=axes)
        keyframes = (camera.looking_through(np.array(v), path.fov_y) for v in path.views)
        return KeyframePath(tuple(keyframes), path.seconds, path.rate, path.closed)

    @property
    def camera_path(self) -> CameraPath:
        """The path as it is saved and rendered."""
        keys = tuple(tuple(key.ravel().tolist()) for key in self.poses)
        fov_y = self.keyframes[0].fov_y if self.keyframes else CameraPath().fov_y
        return CameraPath(keys, fov_y, self.seconds, self.rate, self.closed)

    def with_keyframe(self, view: OrbitCamera) -> KeyframePath:
        """Return the path with one more keyframe at its end."""
        return replace(self, keyframes=(*self.keyframes, replace(view, parallel=False)))

    def transformed(self, similarity: np.ndarray, axes: tuple[float, ...]) -> KeyframePath:
        """Return the path in a scene that was moved; see `OrbitCamera.transformed`."""
        return replace(
            self, keyframes=tuple(v.transformed(similarity, axes) for v in self.keyframes)
        )

    def camera_at(self, progress: float) -> OrbitCamera:
        """Return the camera at a moment of the video; the path must have two keyframes.

        Args:
            progress: Fraction of the video that is over, in [0, 1).
        """
        frame = min(int(progress * self.n_frames), self.n_frames - 1)
        pose = smooth_path(self.poses, self.n_frames, self.closed)[frame]
        return self.keyframes[0].looking_through(pose, self.keyframes[0].fov_y)

    def polyline(self) -> np.ndarray:
        """Return points along the path, [N, 3], few enough to draw; none for a single keyframe."""
        if len(self.keyframes) < 2:
            return np.zeros((0, 3))
        n = 24 * len(self.keyframes)
        places = smooth_path(self.poses, n, self.closed)[:, :3, 3]
        return np.concatenate([places, places[:1]]) if self.closed else places
