import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from core.base.errors import UserError
from core.base.jobs import run_task
from core.capture.poses.solve import PartialPoses, solve_poses, write_poses
from core.geometry.cameras import Intrinsics
from tests.core.capture.poses.test_export import assert_same_cameras
from tests.core.captures import DATA, look_at, noise_photo, textured_plane_photos

REPOSITORY = Path(__file__).parents[4]
WIDE = Intrinsics(400, 300, 320.0, 320.0, 200.0, 150.0)


def room_poses(n):
    return [
        look_at((1.6 * x, -3.0 + 0.5 * x * x, 1.2 + 0.3 * (i % 2)), (0, 0.7, 0.4))
        for i, x in enumerate(np.linspace(-1, 1, n))
    ]


def alignment_error(found: np.ndarray, true: np.ndarray) -> float:
    """Largest distance [N, 3] after the best similarity, over the extent of ``true``."""
    a, b = found - found.mean(0), true - true.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    rotation = u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt
    scale = (s * [1, 1, np.linalg.det(u @ vt)]).sum() / (a**2).sum()
    away = np.linalg.norm(scale * a @ rotation.T - b, axis=1)
    return float(away.max() / np.linalg.norm(b, axis=1).max())


@pytest.mark.slow
def test_poses_of_synthetic_photos(tmp_path):
    poses = room_poses(9)
    textured_plane_photos(tmp_path / "photos", poses, WIDE)
    noise_photo(tmp_path / "photos" / "lost.jpg", 5, (400, 300))
    cut = tmp_path / "photos" / "cut.jpg"
    cut.write_bytes((tmp_path / "photos" / "IMG_0.jpg").read_bytes()[:3000])
    workspace = tmp_path / "workspace"
    seen = []
    scene = run_task(solve_poses(tmp_path / "photos", workspace), seen.append)

    assert [p.name for p in scene.photos] == [f"IMG_{i}.jpg" for i in range(9)]
    found = np.array([p.world_from_camera[:3, 3] for p in scene.photos])
    assert alignment_error(found, np.array([p[:3, 3] for p in poses])) < 0.01
    up_in_photos = -np.mean([p.world_from_camera[:3, 1] for p in scene.photos], 0)
    assert up_in_photos[2] > 0.8
    assert scene.photos[0].intrinsics.fx == pytest.approx(320, rel=0.02)
    assert str(scene.notices[0]).startswith("2 of 11 photos are not used")
    assert "lost.jpg (" in str(scene.notices[0])
    assert "cut.jpg (is damaged" in str(scene.notices[0])
    fractions = [p.fraction for p in seen]
    assert fractions == sorted(fractions)
    assert any("photo 3 of 10" in str(p.detail) or "photo 5 of 10" in str(p.detail) for p in seen)
    live = [p.partial_result for p in seen if isinstance(p.partial_result, PartialPoses)]
    assert len(live[0].cameras) < len(live[-1].cameras) <= 9
    assert live[-1].cameras.shape[1:] == (4, 4)
    assert live[-1].points.shape[1:] == (3,)
    assert all(p.partial_result is None for p in seen if "finding features" in str(p.detail))

    again = run_task(solve_poses(tmp_path / "photos", workspace), seen.append)
    reused = seen[len(fractions) :]
    assert {p.fraction for p in reused} == {1.0}
    assert not any("photo 3" in str(p.detail) for p in reused)
    assert len(again.photos) == 9

    write_poses(scene, tmp_path / "out", workspace)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["photos_in"], report["photos_used"]) == (11, 9)
    assert set(report["unused"]) == {"lost.jpg", "cut.jpg"}
    assert report["reprojection_error_px"] < 1
    assert set(report["seconds"]) == {"copy", "features", "overview", "matches", "mapping", "total"}
    assert_same_cameras(scene, tmp_path / "out")


def test_photos_with_no_overlap_say_what_was_tried_and_what_to_shoot(tmp_path):
    for i in range(3):
        pixels = np.random.default_rng(i).integers(0, 255, (15, 20, 3))
        textured = np.kron(pixels, np.ones((16, 16, 1))).astype(np.uint8)
        _save(textured, tmp_path / f"{i}.png")
    with pytest.raises(UserError, match=r"No two of the 3 photos .* 3 pairs compared") as caught:
        run_task(solve_poses(tmp_path, tmp_path / "work"))
    assert "overlapping the next" in str(caught.value)
    assert "\n" not in str(caught.value)


def _save(pixels, path):
    from PIL import Image

    Image.fromarray(pixels).save(path)


def test_only_damaged_photos_are_refused(tmp_path):
    for i in range(3):
        noise_photo(tmp_path / f"{i}.jpg", i, (400, 300))
        (tmp_path / f"{i}.jpg").write_bytes((tmp_path / f"{i}.jpg").read_bytes()[:1000])
    with pytest.raises(UserError, match="only 0 usable photos"):
        run_task(solve_poses(tmp_path, tmp_path / "work"))


def children(pid: int) -> list[int]:
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(p) for p in out.stdout.split() if alive(int(p))]


def alive(pid: int) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"core.capture.poses.process" in command


def wait_until(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="counts processes by /proc")


@needs_proc
@pytest.mark.parametrize("phase", ["finding features", "matching photos", "placing photo"])
def test_closing_the_task_ends_the_solver_whatever_it_does(tmp_path, phase):
    """At once, as it is killed: nothing has to be waited for."""
    textured_plane_photos(tmp_path, room_poses(5), WIDE)
    task = solve_poses(tmp_path, tmp_path / "work")
    while phase not in str(next(task).detail):
        pass
    assert children(os.getpid())
    task.close()
    assert not children(os.getpid())


def test_of_two_who_solve_the_same_photos_the_second_waits_and_takes_what_the_first_found(tmp_path):
    textured_plane_photos(tmp_path / "photos", room_poses(5), WIDE)
    first, second = (solve_poses(tmp_path / "photos", tmp_path / "work") for _ in range(2))
    next(first)
    waits = [str(next(second).detail) for _ in range(3)]
    assert set(waits) == {"waiting for another Gradina process that prepares these photos"}
    one = run_task(first)
    told = []
    two = run_task(second, lambda p: told.append(str(p.detail)))
    assert "5 of 5 photos placed" in told
    assert not any("finding features" in t for t in told)
    for a, b in zip(one.photos, two.photos, strict=True):
        np.testing.assert_array_equal(a.world_from_camera, b.world_from_camera)


def test_one_who_waits_goes_on_when_the_other_is_cancelled(tmp_path):
    textured_plane_photos(tmp_path / "photos", room_poses(5), WIDE)
    first, second = (solve_poses(tmp_path / "photos", tmp_path / "work") for _ in range(2))
    next(first)
    assert "waiting" in str(next(second).detail)
    first.close()
    assert "waiting" not in str(next(second).detail)
    second.close()


@needs_proc
def test_the_solver_dies_with_the_one_who_started_it(tmp_path):
    textured_plane_photos(tmp_path / "photos", room_poses(5), WIDE)
    code = (
        "from pathlib import Path; from core.base.jobs import run_task;"
        "from core.capture.poses.solve import solve_poses;"
        f"run_task(solve_poses(Path({str(tmp_path / 'photos')!r}), Path({str(tmp_path / 'w')!r})),"
        "lambda p: print(p.detail, flush=True))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    for line in parent.stdout:
        if "finding features" in line:
            break
    solvers = children(parent.pid)
    assert solvers
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert wait_until(lambda: not any(alive(p) for p in solvers))


@needs_proc
def test_a_solver_that_is_killed_is_a_clear_error(tmp_path):
    textured_plane_photos(tmp_path / "photos", room_poses(5), WIDE)
    task = solve_poses(tmp_path / "photos", tmp_path / "w")
    while "finding features" not in str(next(task).detail):
        pass
    os.kill(children(os.getpid())[0], signal.SIGKILL)
    with pytest.raises(UserError, match=r"ended unexpectedly.*solve\.log"):
        run_task(task)


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "vase").is_dir(), reason="the shared captures are not here")
def test_part_of_the_vase_photos(tmp_path):
    for path in sorted((DATA / "vase/photos").iterdir())[:12]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    scene = run_task(solve_poses(tmp_path, tmp_path / "work"))
    assert len(scene.photos) == 12
    true = {
        f["file"]: np.array(f["c2w_opengl"])[:3, 3]
        for f in json.loads((DATA / "vase/poses_photos.json").read_text())["frames"]
    }
    found = np.array([p.world_from_camera[:3, 3] for p in scene.photos])
    assert alignment_error(found, np.array([true[p.name] for p in scene.photos])) < 0.01


@pytest.mark.slow
def test_the_same_seed_gives_the_same_poses(tmp_path):
    textured_plane_photos(tmp_path, room_poses(5), WIDE)
    first, second = (
        run_task(solve_poses(tmp_path, tmp_path / name, seed=3)) for name in ("a", "b")
    )
    for a, b in zip(first.photos, second.photos, strict=True):
        np.testing.assert_array_equal(a.world_from_camera, b.world_from_camera)
