"""The colours of the owl: procedural reflectance, everywhere textured, so that photos match.

Not cached by numba, for the reason given in `photos`.
"""

# pyright: reportMissingParameterType=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false
# numba infers the types of compiled functions.

from __future__ import annotations

import math

from numba import njit

from core.sample.shape import (
    BEAK,
    CAP,
    EYE,
    FOOT,
    STEM,
    STUMP,
    WING,
    coat,
    disc_radius,
    in_wing,
    parts,
    smoothstep,
    wing_feathers,
)


@njit
def _lattice(i, j, k):
    """A number in [0, 1) per lattice point."""
    h = (i * 374761393 + j * 668265263 + k * 1274126177) & 0xFFFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFFFF) / 16777216.0


@njit
def noise(x, y, z):
    """Value noise in [0, 1], one lattice cell per unit."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    fx, fy, fz = x - i, y - j, z - k
    fx, fy, fz = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy), fz * fz * (3 - 2 * fz)
    i, j, k = int(i), int(j), int(k)
    total = 0.0
    for c in range(8):
        a, b, d = c & 1, (c >> 1) & 1, c >> 2
        weight = (fx if a else 1 - fx) * (fy if b else 1 - fy) * (fz if d else 1 - fz)
        total += weight * _lattice(i + a, j + b, k + d)
    return total


@njit
def _mix(a, b, t):
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t)


@njit
def albedo(x, y, z):
    """(r, g, b) linear reflectance and gloss in [0, 1] of the surface at a point on it."""
    d = parts(x, y, z)
    part = 0
    for i in range(1, 8):
        if d[i] < d[part]:
            part = i
    coarse, fine = noise(x * 9, y * 9, z * 9), noise(x * 45, y * 45, z * 45)
    if part == EYE:
        return _eye_color(x, y, z)
    if part in (BEAK, FOOT):
        r, g, b = _mix((0.75, 0.33, 0.06), (0.45, 0.16, 0.03), 0.7 * coarse * fine + 0.2 * fine)
        return r, g, b, 0.35
    if part == STUMP:
        return _wood_color(x, y, z, coarse, fine)
    if part == STEM:
        r, g, b = _mix((0.78, 0.70, 0.55), (0.5, 0.42, 0.3), fine)
        return r, g, b, 0.1
    if part == CAP:
        spot = noise(x * 26 + 3, y * 26, z * 26)
        r, g, b = _mix((0.55, 0.04, 0.03), (0.85, 0.8, 0.7), smoothstep(0.62, 0.68, spot))
        return r, g, b, 0.4
    return _plumage_color(x, y, z, part, coarse, fine)


@njit
def _eye_color(x, y, z):
    ax = abs(x)
    facing = (-(y + 0.228) * 0.985 + (ax - 0.135) * 0.15 + (z - 0.455) * 0.08) / 0.085
    iris = _mix((0.9, 0.5, 0.04), (0.55, 0.2, 0.01), noise(x * 90, y * 20, z * 90))
    r, g, b = _mix(iris, (0.01, 0.01, 0.012), smoothstep(0.84, 0.88, facing))
    r, g, b = _mix((0.02, 0.015, 0.01), (r, g, b), smoothstep(0.35, 0.45, facing))
    return r, g, b, 1.0


@njit
def _wood_color(x, y, z, coarse, fine):
    radius = math.sqrt(x * x + y * y)
    grain = 0.5 + 0.5 * math.cos(radius * 140.0 + 3.0 * coarse)
    cut = _mix((0.52, 0.33, 0.16), (0.34, 0.19, 0.08), grain * 0.8 + 0.2 * fine)
    bark = _mix((0.17, 0.10, 0.055), (0.33, 0.22, 0.13), fine)
    moss = _mix((0.10, 0.19, 0.03), (0.22, 0.32, 0.06), fine)
    bark = _mix(bark, moss, smoothstep(0.52, 0.62, coarse))
    inside = smoothstep(0.40, 0.37, radius)
    r, g, b = _mix(bark, cut, inside)
    return r, g, b, 0.05


@njit
def _plumage_color(x, y, z, part, coarse, fine):
    brown = _mix((0.30, 0.155, 0.07), (0.46, 0.27, 0.13), coarse)
    cream = _mix((0.80, 0.69, 0.50), (0.62, 0.47, 0.29), fine * coarse * 1.4)
    if part == WING:
        height = wing_feathers(*in_wing(y, z))
        teal = _mix((0.05, 0.15, 0.17), (0.13, 0.33, 0.33), coarse)
        color = _mix(teal, cream, 0.75 * smoothstep(0.86, 0.97, height))
    else:
        angle = math.atan2(x, -y) / (2.0 * math.pi)
        belly = smoothstep(0.15, 0.11, abs(angle)) * smoothstep(0.26, 0.22, z)
        height = 1.0 + (coat(x, y, z) - 1.0) * smoothstep(0.66, 0.58, z)
        back = _mix(brown, (0.12, 0.06, 0.03), smoothstep(0.75, 0.45, height) * 0.8)
        front = _mix(cream, brown, smoothstep(0.78, 0.5, height) * 0.75)
        color = _mix(back, front, belly)
        streaks = _mix(brown, (0.14, 0.07, 0.035), smoothstep(0.5, 0.62, coarse))
        color = _mix(color, streaks, 0.75 * smoothstep(0.24, 0.30, z))
        disc = smoothstep(0.175, 0.165, disc_radius(x, z)) * smoothstep(-0.08, -0.14, y)
        color = _mix(color, cream, disc)
    r, g, b = _mix(color, (0.1, 0.06, 0.03), 0.25 * smoothstep(0.55, 0.8, fine))
    return r, g, b, 0.12
