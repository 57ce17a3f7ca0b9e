"""Photos that a person leaves out: none of their rays, no say in anything, and all back again."""

from dataclasses import replace

import numpy as np
import pytest

from core.base.errors import UserError
from core.capture.edits import exclude_photos
from core.config.mesh import MeshOptions
from core.meshing.from_model import mesh_source
from core.project.store import ProjectState, load_project, save_project
from core.training import density_to_sdf
from core.training.ray_source import RaySource
from tests.core.shaded_ball import CPU, TINY, ball_store, ball_trainer


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with ball_store(tmp_path_factory.mktemp("ball")) as made:
        yield made


@pytest.mark.parametrize("hard", [0.0, 0.7, 1.0])
def test_an_excluded_photo_has_none_of_the_rays_and_the_others_keep_their_share(store, hard):
    rays = RaySource(store, CPU, 0)
    left_out = np.zeros(8, bool)
    left_out[[0, 3, 7]] = True
    rays.exclude_photos(left_out)
    batch = rays.sample(20000, hard)
    per_photo = np.bincount(batch.rays.photo.numpy(), minlength=8)
    assert (per_photo[left_out] == 0).all()
    np.testing.assert_allclose(per_photo[~left_out], 20000 / 5, rtol=0.06)
    photo = store.scene.photos[4]
    mine = batch.rays.photo.numpy() == 4
    center = store.scene.scene_from_camera(photo)[:3, 3]
    np.testing.assert_allclose(
        batch.rays.origins[mine].numpy(), center[None].repeat(mine.sum(), 0), atol=1e-6
    )


def test_who_is_taken_in_again_changes_nothing(store):
    plain, edited = RaySource(store, CPU, 0), RaySource(store, CPU, 0)
    edited.exclude_photos(np.arange(8) < 4)
    edited.exclude_photos(np.zeros(8, bool))
    one, other = plain.sample(500, 0.5), edited.sample(500, 0.5)
    np.testing.assert_array_equal(one.colors, other.colors)
    np.testing.assert_array_equal(one.rays.directions, other.rays.directions)


def test_training_goes_on_without_the_excluded(store):
    trainer = ball_trainer(store, replace(TINY, steps=6))
    names = [photo.name for photo in trainer.scene.photos]
    trainer.step()
    drawn, sample = [], trainer.supervision.rays.sample

    def watched(*arguments):
        drawn.append(sample(*arguments))
        return drawn[-1]

    trainer.supervision.rays.sample = watched
    before = trainer.step_count
    trainer.edit(exclude_photos(trainer.scene, names[:2], True))
    trainer.step()
    assert trainer.step_count == before + 1, "it did not begin again"
    assert int(drawn[-1].rays.photo.min()) >= 2
    trainer.edit(exclude_photos(trainer.scene, names[:1], False))
    trainer.step()
    assert set(drawn[-1].rays.photo.tolist()) == {0, 2, 3, 4, 5, 6, 7}


def test_only_the_used_tell_where_the_surface_is(store, monkeypatch):
    scene = exclude_photos(store.scene, ["1.png", "2.png"], True)
    asked = []
    monkeypatch.setattr(
        density_to_sdf, "_fuse", lambda *a: asked.extend(p.name for p, _ in a[-1]) or []
    )
    next(density_to_sdf.density_to_sdf(ball_trainer(store).model, None, scene, store.intrinsics))
    assert len(asked) == 6
    assert not {"1.png", "2.png"} & set(asked)


def test_meshes_are_finished_by_the_used(store):
    scene = exclude_photos(store.scene, ["1.png", "2.png"], True)
    subject = mesh_source(ball_trainer(store).model, scene, MeshOptions())
    assert [photo.name for photo in subject.photos] == [
        photo.name for photo in scene.training_photos
    ]


def test_excluding_is_undone_by_its_opposite_and_leaves_enough(store):
    scene = store.scene
    names = [photo.name for photo in scene.photos]
    without = exclude_photos(scene, [*names[:3], "nobody.png"], True)
    assert without.excluded == set(names[:3])
    assert [photo.name for photo in without.training_photos] == names[3:]
    assert exclude_photos(without, names[:3], False).excluded == frozenset()
    with pytest.raises(UserError, match="At least 3 photos"):
        exclude_photos(without, names[3:6], True)


def test_a_project_remembers_who_is_excluded(store, tmp_path):
    scene = exclude_photos(store.scene, ["3.png"], True)
    save_project(tmp_path, ProjectState("source", TINY, scene), None)
    assert load_project(tmp_path).state.scene.excluded == {"3.png"}
