"""The training loop's one step, top to bottom: rays → samples → field → colours → losses → Adam."""

from __future__ import annotations

import math

import torch

from core.base.jobs import Job, Progress, Task
from core.base.parallel import parallel_map
from core.capture.pixels import PixelStore
from core.capture.scene import Scene
from core.config.run import RunConfig
from core.field.model import SceneModel
from core.geometry.box import Box
from core.rendering.occupancy import OccupancyGrid
from core.rendering.sampling import DENSITY_STEP
from core.rendering.volume import density_alpha
from core.training import schedule
from core.training.density_to_sdf import density_to_sdf
from core.training.memory_forecast import halved_batch
from core.training.optimizer import make_optimizer
from core.training.step import StepStats, loss_and_grads, sample_rays_of_shard, sum_grads
from core.training.supervision.base import make_supervision

OCCUPANCY_EVERY = 16


class Trainer:
    """Owns the model and everything that trains it. ``elapsed`` counts seconds spent in `work`."""

    def __init__(self, store: PixelStore, config: RunConfig, device: torch.device) -> None:
        self.store, self.config, self.device = store, config, device
        self.scene = store.scene
        torch.manual_seed(config.seed)
        scene = store.scene
        self.model = SceneModel(config, len(scene.photos), not scene.has_masks).to(device)
        self.occupancy = OccupancyGrid(config.train.occupancy_resolution, device)
        self.supervision = make_supervision(store, device, config.seed)
        self.renew_optimizer()
        self.n_rays = config.train.n_rays
        self.step_count = 0
        self.edit(scene)
        self._step: Job[StepStats] | None = None
        self.elapsed = 0.0
        self.segment = (0.0, 0.0)  # where the present stretch began: seconds or steps, progress
        self.budget: float = config.steps or config.train.minutes * 60
        self._set_schedules(self.progress)

    @property
    def spent(self) -> float:
        """Of the budget: steps where the run counts steps, else seconds."""
        return self.step_count if self.config.steps else self.elapsed

    @property
    def progress(self) -> float:
        """In [0, 1], along the schedules, which wait while the density becomes an SDF."""
        begin, at = self.segment
        most = self.config.train.density_until if self.model.is_density_stage else 1.0
        return min(at + (1 - at) * (self.spent - begin) / max(self.budget, 1e-9), most)

    @property
    def seconds_left(self) -> float | None:
        """Until the end of the budget, at the present pace; None before there is a pace."""
        left = max(self.segment[0] + self.budget - self.spent, 0.0)
        if not self.config.steps:
            return left
        return left * self.elapsed / self.step_count if self.step_count else None

    @property
    def finished(self) -> bool:
        """At the end of the budget, and never without a surface, however short it was."""
        return self.progress >= 1 and not self.model.is_density_stage

    def continue_for(self, minutes: float) -> None:
        """Train on for ``minutes`` more, re-entering the schedules late."""
        at = min(self.progress, self.config.train.continue_from)
        budget = minutes * 60
        if self.config.steps:
            budget = max(1, round(budget * self.step_count / max(self.elapsed, 1e-9)))
        self.segment, self.budget = (self.spent, at), budget

    def edit(self, scene: Scene) -> None:
        """From now on ``scene`` is this one: the same photos in the same ball, but with another
        region, frame or unit, or others of them excluded. What lies a little around the region is
        trained too, since what stands in its way there, and what it stands on, has to be
        explained."""
        self.scene, region = scene, scene.region_in_scene
        around = Box.of(region.center, region.half * self.config.train.region_margin, region.axes)
        self.occupancy.set_region(around)
        self.supervision.edit(scene, around)
        if self.step_count:
            self._update_occupancy()

    @property
    def visible_occupancy(self) -> OccupancyGrid:
        """Where the surface can be in the region, which alone is shown."""
        return self.occupancy.restricted_to(self.scene.region_in_scene)

    def halve_batch(self) -> bool:
        """From now on half as many samples a step, because memory ran out; False where so few are
        left that half of them would not do."""
        halved = halved_batch(self.config)
        if halved is None:
            return False
        self.config, self.n_rays = halved, self.n_rays // 2
        return True

    def step(self) -> StepStats:
        """All slices of the next step."""
        while (stats := self.work()) is None:
            pass
        return stats

    def work(self) -> StepStats | None:
        """One slice of an optimisation step, or at the end of the topology warm-up of the
        conversion to an SDF; the stats of a step with its last slice."""
        if self._step is None or self._step.is_over:
            self._step = Job(self._next_step())
        before = self._step.seconds
        try:
            return self._step.result if self._step.advance() else None
        finally:
            self.elapsed += self._step.seconds - before

    def _next_step(self) -> Task[StepStats]:
        if self.model.is_density_stage and self.progress >= self.config.train.density_until:
            yield from self._convert()
        return (yield from self._optimise(self.progress))

    def _convert(self) -> Task[None]:
        """An interrupted run begins this work anew."""
        store, at = self.store, self.config.train.density_until
        self._set_schedules(at)
        yield from density_to_sdf(self.model, self.occupancy, self.scene, store.intrinsics)
        self.enter_schedule(at)
        yield Progress(1.0)

    def enter_schedule(self, at: float) -> None:
        """Train in the budget that is left from progress ``at`` on, the model having been fitted
        to something else."""
        left = self.segment[0] + self.budget - self.spent
        self.segment, self.budget = (self.spent, at), max(left, 0.0)
        self.n_rays = self.config.train.n_rays
        self.renew_optimizer()
        self._set_schedules(at)
        self._update_occupancy()

    def renew_optimizer(self) -> None:
        """A fresh optimiser of what is learnt at this stage."""
        self.optimizer = make_optimizer(self.model, self.config)

    def _update_occupancy(self) -> None:
        model = self.model
        if model.has_sdf:
            self.occupancy.update(model.shape.implicit_value, float(model.inv_s.detach()))
            return
        step = torch.tensor(DENSITY_STEP, device=self.device)
        self.occupancy.update_density(
            lambda x: density_alpha(model.shape.implicit_value(x), step),
            self.config.train.density_skip,
        )

    def _optimise(self, progress: float) -> Task[StepStats]:
        """The batch is cut into shards, whose gradients are added up. The model changes with the
        last slice only, so that what is drawn between slices is of one piece."""
        self._set_schedules(progress)
        # while few steps were made they are large ones, after 1, 2, 4, 8 it is looked at too
        if self.step_count % OCCUPANCY_EVERY == 0 or self.step_count in (1, 2, 4, 8):
            self._update_occupancy()
            yield Progress(0.1)
        model, train, supervision = self.model, self.config.train, self.supervision
        batches = supervision.sample_batches(model, train, self.n_rays, progress)
        found = parallel_map(
            lambda b: sample_rays_of_shard(model, self.occupancy, b, train, progress), batches
        )
        yield Progress(0.4)
        batches = supervision.with_targets(model, train, batches, found, progress)
        yield Progress(0.5)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        n = sum(map(len, (batch.rays for batch in batches)))
        results = parallel_map(
            lambda shard: loss_and_grads(
                model, *shard, train, progress, parameters, len(shard[0].rays) / n
            ),
            zip(batches, found),
        )
        yield Progress(0.9)
        for i, parameter in enumerate(parameters):
            gradients = [g for shard in results if (g := shard.gradients[i]) is not None]
            parameter.grad = sum_grads(gradients)
        stats = supervision.stats(results)
        if math.isfinite(sum(stats.losses.values())):  # one bad batch must poison nothing
            self.optimizer.step()
            supervision.on_step()
        if self.config.train.sharpness == "learnt":
            self._hold_sharpness(progress)
        self._adapt_ray_count(stats)
        self.step_count += 1
        return stats

    def _set_schedules(self, progress: float) -> None:
        """Put levels, ε, sharpness and learning rates where ``progress`` says."""
        train, surface, radiance = self.config.train, self.model.sdf_field, self.model.radiance
        if surface is not None:
            surface.active_levels = schedule.active_levels(train, surface.n_levels, progress)
        if radiance is not None:
            levels = schedule.radiance_levels(train, radiance.n_levels, progress)
            if not self.model.is_density_stage and radiance.grow(levels):
                self.renew_optimizer()
            radiance.active_levels = levels
        if train.sharpness == "scheduled":
            self.model.log_inv_s.data.fill_(math.log(schedule.inv_s(train, progress)))
        factor = schedule.learning_rate(train, progress)
        for group in self.optimizer.param_groups:
            load = schedule.sdf_lr_scale(train, progress) if group["is_converted_sdf"] else 1.0
            group["lr"] = group["base"] * factor * load

    def _hold_sharpness(self, progress: float) -> None:
        """A learnt sharpness may run ahead of its schedule only so far."""
        most = 8 * schedule.inv_s(self.config.train, progress)
        self.model.log_inv_s.data.clamp_(math.log(self.config.train.initial_inv_s), math.log(most))

    def _adapt_ray_count(self, stats: StepStats) -> None:
        """As many rays as hold the number of samples, changed gently: memory and step time stay.
        Those beyond the region, of a density at any time, are as many at most."""
        train = self.config.train
        samples = train.samples_per_step if self.model.has_sdf else train.density_samples
        load = max(stats.n_kept / samples, stats.n_unbounded / train.density_samples, 1 / samples)
        wanted = self.n_rays / load
        blend = 0.8 * self.n_rays + 0.2 * min(wanted, 2 * self.n_rays)
        self.n_rays = int(min(max(blend, 64), train.max_rays))
