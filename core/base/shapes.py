"""Checks of array shapes at the entry of public functions."""

from __future__ import annotations

from typing import Protocol


class HasShape(Protocol):
    """An array of numpy or a tensor of torch."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        ...


def check_shapes(**arrays: tuple[HasShape, str]) -> None:
    """Check that arrays have the shapes that they should have.

    Args:
        **arrays: the array and its expected shape, for each argument by name. A shape has one word
            for each axis: a number, or a letter that stands for the same length wherever it occurs.
            "..." at the start stands for any number of axes. For example ``origins=(origins,
            "R 3"), directions=(directions, "R 3")`` requires as many directions as origins.

    Raises:
        ValueError: where a shape differs; names the argument, its shape and the expected one.
    """
    lengths: dict[str, int] = {}
    for name, (array, wanted) in arrays.items():
        axes, shape = wanted.split(), tuple(array.shape)
        if axes[:1] == ["..."]:
            axes = axes[1:]
            shape = shape[max(len(shape) - len(axes), 0) :]
        fits = len(axes) == len(shape) and all(
            length == (int(axis) if axis.isdigit() else lengths.setdefault(axis, length))
            for axis, length in zip(axes, shape)
        )
        if not fits:
            known = ", ".join(f"{axis} = {length}" for axis, length in lengths.items())
            raise ValueError(
                f"{name} has shape {list(array.shape)}, and [{wanted.replace(' ', ', ')}] is wanted"
                + (f", where {known}" if known else "")
            )
