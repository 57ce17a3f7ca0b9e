"""A small field that is the same everywhere: a sphere with bumps of every level of the grid."""

from __future__ import annotations

import math

import numpy as np
import torch

from core.base.jobs import run_task
from core.config.run import FieldConfig, RunConfig, TrainConfig
from core.field.model import SceneModel
from core.geometry.camera_path import looking_at_center
from core.geometry.view import PreviewMode, SlicePlane, View
from core.rendering.error import render_error
from core.rendering.occupancy import OccupancyGrid
from core.rendering.preview import render_preview, trace_field
from core.rendering.slice import render_slice

WIDTH, HEIGHT = 160, 120
INV_S = 300.0
WHITE = ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
FIELD = FieldConfig(
    n_levels=4, log2_hashmap_size=14, base_resolution=4, finest_resolution=32, color_width=16
)
CONFIG = RunConfig(field=FIELD, train=TrainConfig(initial_inv_s=INV_S))


class BumpySphere:
    """The model, and what is known to be occupied."""

    def __init__(self) -> None:
        dice = torch.Generator().manual_seed(0)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.model = SceneModel(CONFIG, 1, False)
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if "color" in name and parameter.dim() > 1:
                    spread = 1.5 / math.sqrt(parameter.shape[1])
                    parameter.copy_(spread * torch.randn(parameter.shape, generator=dice))
            field = self.model.sdf_field
            first = field._layers[0].weight[:, 3:]
            first.copy_(0.15 * torch.randn(first.shape, generator=dice))
            table, offsets = field.grid.table, field.grid.layout.offsets
            table.copy_(torch.randn(table.shape, generator=dice))
            for level in range(FIELD.n_levels):
                table[int(offsets[level]) : int(offsets[level + 1])] *= 0.12 / 2**level
        self.occupancy = OccupancyGrid(32, torch.device("cpu"))
        self.occupancy.update(field.implicit_value, INV_S)

    def picture(self, mode: PreviewMode, **changes: object) -> np.ndarray:
        """uint8 [H, W, 3] of the view from the front, above and right."""
        pose = looking_at_center(0.7, 0.4, 2.6)
        plane = SlicePlane((0.0, 0.0, 1.0), 0.1, 0.05)
        view = View(
            1, tuple(pose.ravel().tolist()), 0.6, WIDTH, HEIGHT, mode=mode, plane=plane, **changes
        )
        surface = trace_field(self.model, self.occupancy, view.levels, mode)
        if mode == "slice":
            return run_task(render_slice(self.model, surface, view, WIDTH, HEIGHT))
        if mode == "error":
            return self._error(view)
        return run_task(render_preview(self.model, surface, view, WIDTH, HEIGHT))

    def _error(self, view: View) -> np.ndarray:
        """Against a photo that is right on its left and grey on its right, and covers no edge."""
        truth = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
        truth[:, : WIDTH // 2] = self.picture("color", backdrop=WHITE)[:, : WIDTH // 2] / 255
        known = np.zeros((HEIGHT, WIDTH), bool)
        known[8:-8, 8:-8] = True
        train = CONFIG.train
        white = (1.0, 1.0, 1.0)
        return run_task(
            render_error(self.model, self.occupancy, train, view, truth, known, None, white)
        )
