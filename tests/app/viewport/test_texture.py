"""Textures on a real screen, in a process of their own: a process has one Dear PyGui."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.app.driver import ROOT

SHOWN = """
import sys
import numpy as np
from app.viewport import texture
from app.platform.gui import dpg

kind, path = sys.argv[1:]
if kind == "raw":
    texture._DirectTexture.supported = False
dpg.create_context()
dpg.create_viewport(width=400, height=300, vsync=False)
dpg.setup_dearpygui()
dpg.add_texture_registry(tag="textures")
with dpg.window(pos=(0, 0), width=400, height=300, no_title_bar=True):
    with dpg.drawlist(200, 150):
        dpg.add_draw_layer(tag="layer")
dpg.show_viewport()
dpg.render_dearpygui_frame()
others = [texture.Texture(150, 200) for _ in range(2)]  # of the same size
shown = texture.Texture(150, 200)
assert type(shown._store).__name__ == {"raw": "_RawTexture", "sent": "_DirectTexture"}[kind]
for color in [(255, 255, 255, 255), (30, 60, 90, 255)]:
    pixels = np.full((150, 200, 4), color, np.uint8)
    pixels[40:60, :, 1] = 255
    shown.load(pixels)
    dpg.render_dearpygui_frame()
    assert shown.upload()
dpg.draw_image(shown.tag, (0, 0), (200, 150), parent="layer", uv_min=shown.uv_min,
               uv_max=shown.uv_max)
for _ in range(3):
    dpg.render_dearpygui_frame()
dpg.output_frame_buffer(path)
for _ in range(5):
    dpg.render_dearpygui_frame()
"""


@pytest.mark.parametrize("kind", ["sent", "raw"])
def test_what_was_loaded_last_is_on_screen_to_the_pixel(kind, display, tmp_path):
    path = tmp_path / "screen.png"
    subprocess.run(
        [sys.executable, "-c", SHOWN, kind, str(path)],
        check=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "DISPLAY": display, "HOME": str(tmp_path)},
    )
    pixels = np.array(Image.open(path))[8:158, 8:208, :3]  # inside the padding
    expected = np.full((150, 200, 3), (30, 60, 90), np.uint8)
    expected[40:60, :, 1] = 255
    np.testing.assert_array_equal(pixels, expected)
