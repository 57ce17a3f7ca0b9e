"""The owl of the sample: an implicit surface, exact by definition.

Everything here is scalar numba code in the owl's own frame: metres, +Z up, the owl looks along -Y,
its middle in the origin, nothing further out than `EXTENT`.
"""

# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false
# numba infers the types of compiled functions.

from __future__ import annotations

import math

import numpy as np
from numba import njit

EXTENT = 0.92
SAFE_STEP = 0.7
"""Fraction of the sdf that a ray may advance: feathers and bark make it steeper than 1."""
RELIEF = 0.08
"""Feathers lie within this distance of the smooth surface, metres."""
FEATHERS, WING, EYE, BEAK, STUMP, FOOT, STEM, CAP = range(8)


@njit(cache=True, inline="always")
def clamp(value, low, high):
    """Return ``value`` clamped to [low, high]."""
    return min(max(value, low), high)


@njit(cache=True, inline="always")
def smoothstep(low, high, value):
    """Return the cubic step from 0 at ``low`` to 1 at ``high``."""
    t = clamp((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True, inline="always")
def _blend(a, b, width):
    """Smooth minimum; ``width`` is the reach of the fillet."""
    h = max(width - abs(a - b), 0.0) / width
    return min(a, b) - h * h * width * 0.25


@njit(cache=True)
def _ellipsoid(x, y, z, rx, ry, rz):
    k0 = math.sqrt((x / rx) ** 2 + (y / ry) ** 2 + (z / rz) ** 2)
    k1 = math.sqrt((x / rx**2) ** 2 + (y / ry**2) ** 2 + (z / rz**2) ** 2)
    return k0 * (k0 - 1.0) / max(k1, 1e-9)


@njit(cache=True)
def _cone(x, y, z, ax, ay, az, ra, bx, by, bz, rb):
    """A capsule from a to b whose radius goes from ra to rb."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    t = ((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz)
    t = clamp(t, 0.0, 1.0)
    reach = math.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 + (z - az - t * dz) ** 2)
    return reach - (ra + t * (rb - ra))


@njit(cache=True, inline="always")
def _scale(u, v):
    """Return the height of one scale at ``u`` in [-0.5, 0.5], ``v`` above its row's foot.

    It is highest at its rounded tip below, and sinks under the row above.
    """
    return 1.0 - 0.6 * (v - 1.2 * u * u)


@njit(cache=True)
def feathers(u, v):
    """Height in [0, 1] of rows of scales: columns at whole ``u``, rows at whole ``v``."""
    row = math.floor(v)
    shift = 0.5 * (row - 2.0 * math.floor(row / 2.0))
    own = u + shift - math.floor(u + shift) - 0.5
    below = u + shift + 0.5 - math.floor(u + shift + 0.5) - 0.5
    f = v - row
    under, over = _scale(below, f + 1.0), _scale(own, f)
    return under + (over - under) * smoothstep(-0.08, 0.12, f - 1.2 * own * own)


@njit(cache=True)
def coat(x, y, z):
    """Height of the feathers of body and head: small ones, in rows around the owl."""
    return feathers(math.atan2(x, -y) * 22.0 / (2.0 * math.pi), z / 0.085)


@njit(cache=True)
def in_wing(y, z):
    """Coordinates across and along a wing, which hangs aslant."""
    y, z = y - 0.05, z + 0.07
    return 0.96 * y + 0.28 * z, -0.28 * y + 0.96 * z


@njit(cache=True)
def wing_feathers(across, along):
    """Height of the feathers of a wing: long ones, in slanting rows."""
    return feathers(across / 0.1 + 0.5, along / 0.13 + 0.6 * across / 0.1)


@njit(cache=True)
def disc_radius(x, z):
    """Distance to the middle of the nearer facial disc."""
    return math.sqrt((abs(x) - 0.135) ** 2 + (z - 0.45) ** 2)


@njit(cache=True)
def _face(x, y, z):
    """Relief of the facial disc: a rim around each eye, fine rays within."""
    if y > -0.05:
        return 0.0
    radius = disc_radius(x, z)
    rays = math.cos(18.0 * math.atan2(z - 0.45, abs(x) - 0.135))
    rays *= smoothstep(0.08, 0.11, radius) * smoothstep(0.175, 0.15, radius)
    rim = math.exp(-(((radius - 0.18) / 0.02) ** 2))
    return (0.02 * rim + 0.006 * rays) * smoothstep(-0.05, -0.15, y)


@njit(cache=True)
def _plumage(x, y, z):
    """Body, tail, head and tufts. Relief is left out farther than `RELIEF` away."""
    body = _ellipsoid(x, y, z + 0.05, 0.35, 0.31, 0.47)
    tail_y, tail_z = y - 0.3, z + 0.36
    tail = _ellipsoid(
        x, 0.88 * tail_y + 0.48 * tail_z, -0.48 * tail_y + 0.88 * tail_z, 0.13, 0.06, 0.25
    )
    head = _ellipsoid(x, y + 0.02, z - 0.42, 0.33, 0.28, 0.26)
    if abs(head) < RELIEF:
        head -= _face(x, y, z)
    tuft = _cone(abs(x), y, z, 0.18, -0.02, 0.56, 0.08, 0.30, -0.05, 0.77, 0.018)
    d = _blend(_blend(_blend(body, tail, 0.06), head, 0.08), tuft, 0.09)
    if abs(d) < RELIEF:
        # None on the face, and none on the crown, where the columns would meet in a point.
        face = smoothstep(0.23, 0.20, disc_radius(x, z)) * smoothstep(0.0, -0.1, y)
        depth = 0.02 * (1.0 - 0.4 * smoothstep(0.2, 0.3, z)) * smoothstep(0.66, 0.58, z)
        depth *= (1.0 - face) * smoothstep(RELIEF, 0.5 * RELIEF, abs(d))
        d -= depth * (coat(x, y, z) - 0.5)
    return d


@njit(cache=True)
def _wing(x, y, z):
    across, along = in_wing(y, z)
    d = _ellipsoid(abs(x) - 0.315, across, along, 0.085, 0.22, 0.37)
    if abs(d) < RELIEF:
        depth = 0.026 * smoothstep(RELIEF, 0.5 * RELIEF, abs(d))
        d -= depth * (wing_feathers(across, along) - 0.5)
    return d


@njit(cache=True)
def _foot(ax, y, z):
    foot = 1.0
    for toe in range(3):
        spread = 0.055 * (toe - 1)
        foot = _blend(
            foot,
            _cone(
                ax,
                y,
                z,
                0.13 + 0.4 * spread,
                -0.20,
                -0.47,
                0.04,
                0.13 + spread,
                -0.345 + abs(spread) * 0.5,
                -0.505,
                0.025,
            ),
            0.015,
        )
    return foot


@njit(cache=True)
def parts(x, y, z):
    """Signed distances of the eight parts, in the order of their constants."""
    ax = abs(x)
    eye = math.sqrt((ax - 0.135) ** 2 + (y + 0.228) ** 2 + (z - 0.455) ** 2) - 0.085
    beak = _cone(x, y, z, 0.0, -0.27, 0.41, 0.055, 0.0, -0.36, 0.30, 0.014)
    low = z + 0.29  # nothing of the ground reaches above this
    if low > 0.05:
        return _plumage(x, y, z), _wing(x, y, z), eye, beak, low, low, low, low
    stem, cap = _mushroom(x - 0.25, y + 0.27, z + 0.5)
    stump = _stump(x, y, z + 0.64)
    return _plumage(x, y, z), _wing(x, y, z), eye, beak, stump, _foot(ax, y, z), stem, cap


@njit(cache=True)
def _stump(x, y, z):
    """A slice of trunk with bark, rings on its top and a root like a handle."""
    radius = math.sqrt(x * x + y * y)
    angle = math.atan2(y, x)
    bark = abs(math.sin(9.0 * angle + 0.7 * math.sin(14.0 * z + 2.0 * angle)))
    flare = 0.04 * smoothstep(0.0, -0.14, z)
    side = radius - 0.41 - flare - 0.03 * (bark - 0.5) * smoothstep(0.3, 0.4, radius)
    rings = 0.004 * math.cos(radius * 140.0) * smoothstep(0.40, 0.34, radius)
    top = abs(z) - 0.11 - rings * smoothstep(0.0, 0.05, z)
    outside = math.sqrt(max(side, 0.0) ** 2 + max(top, 0.0) ** 2)
    trunk = outside + min(max(side, top), 0.0) - 0.02
    loop = math.sqrt((x + 0.44) ** 2 + (z - 0.005) ** 2) - 0.095
    root = math.sqrt(loop * loop + (y - 0.08) ** 2) - 0.028
    return _blend(trunk, root, 0.03)


@njit(cache=True)
def _mushroom(x, y, z):
    stem = _cone(x, y, z, 0.0, 0.0, -0.03, 0.036, 0.012, 0.0, 0.13, 0.026)
    dome = _ellipsoid(x - 0.012, y, z - 0.125, 0.1, 0.1, 0.075)
    return stem, -_blend(-dome, z - 0.115, 0.02)


@njit(cache=True)
def sdf(x, y, z):
    """Signed distance near the surface (metres, negative inside), a bound farther away."""
    plumage, wing, eye, beak, stump, foot, stem, cap = parts(x, y, z)
    owl = _blend(_blend(_blend(plumage, wing, 0.025), eye, 0.012), beak, 0.02)
    owl = _blend(owl, foot, 0.02)
    return min(_blend(owl, stump, 0.02), _blend(_blend(stem, cap, 0.01), stump, 0.02))


@njit(cache=True, nogil=True)
def sdf_at(points):
    """[N] `sdf` of ``points`` [N, 3]."""
    out = np.empty(len(points))
    for i in range(len(points)):
        out[i] = sdf(points[i, 0], points[i, 1], points[i, 2])
    return out
