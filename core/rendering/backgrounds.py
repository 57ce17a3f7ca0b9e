"""Random backgrounds: what is seen before each of them alike is there.

Source: Jain et al. 2022 (Dream Fields), section 4.4: noise, a checkerboard or a random Fourier
texture (Mordvintsev et al. 2018), each blurred by a random amount.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

N_SQUARES = 8
"""Of a checkerboard, along its sides."""
MAX_BLUR = 0.045
"""Standard deviation of the blur, at most, as a share of the picture's side."""


def random_backgrounds(n: int, side: int, device: torch.device) -> Tensor:
    """[n, 3, side, side] sRGB in [0, 1], of a random kind each."""
    choices = torch.randint(len(TEXTURES), (n,)).tolist()
    return torch.stack([_blurred(TEXTURES[kind](side, device)) for kind in choices])


def _noise(side: int, device: torch.device) -> Tensor:
    return (0.5 + 0.25 * torch.randn(3, side, side, device=device)).clamp(0, 1)


def _checkerboard(side: int, device: torch.device) -> Tensor:
    line = torch.arange(side, device=device) * N_SQUARES // side
    odd = (line[:, None] + line) % 2
    one, other = torch.rand(2, 3, 1, 1, device=device)
    return torch.where(odd.bool(), one, other)


def _fourier(side: int, device: torch.device) -> Tensor:
    """Amplitudes fall with the frequency, as those of photos do."""
    along, half = torch.fft.fftfreq(side), torch.fft.rfftfreq(side)
    frequency = (along[:, None] ** 2 + half**2).sqrt().clamp(min=1 / side).to(device)
    shape = (3, *frequency.shape)
    spectrum = torch.complex(torch.randn(shape, device=device), torch.randn(shape, device=device))
    texture = torch.fft.irfft2(spectrum / frequency, s=(side, side))
    return torch.sigmoid(texture / texture.std().clamp(min=1e-6))


TEXTURES: tuple[Callable[[int, torch.device], Tensor], ...] = (_noise, _checkerboard, _fourier)


def _blurred(image: Tensor) -> Tensor:
    """[3, S, S] by a Gaussian of random width."""
    side = image.shape[-1]
    sigma = max(float(torch.rand(())) * MAX_BLUR * side, 1e-3)
    reach = min(int(3 * sigma), side - 1)
    offsets = torch.arange(-reach, reach + 1, device=image.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    for _ in range(2):  # along rows, then, turned, along columns
        padded = F.pad(image[:, None], (reach, reach, 0, 0), mode="reflect")
        image = F.conv2d(padded, kernel)[:, 0].transpose(-1, -2)
    return image.clamp(0, 1)
