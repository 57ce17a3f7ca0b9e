"""Errors that are shown to the user."""

from __future__ import annotations

from core.base.text import NO_TEXT, Text, text


class UserError(Exception):
    """An error that the user can fix.

    ``str(error)`` is one line that names the file (or thing) and the remedy. The window and the
    command line print exactly that line; any other exception is a bug and goes to the log.

    Args:
        what: what went wrong, without a full stop.
        remedy: what to do about it, an imperative.
    """

    def __init__(self, what: Text, remedy: Text = NO_TEXT) -> None:
        message = text("{what}. {remedy}", what=what, remedy=remedy) if remedy else what
        super().__init__(message)
        self.what = what
        self.remedy = remedy
        self.text = message


class MissingPhotosError(UserError):
    """Photos of a saved project are not where they were.

    Args:
        project: folder of the project.
        n_missing: number of missing photos.
        n_photos: number of photos in the project.
        folder: where they were.
    """

    def __init__(self, project: str, n_missing: int, n_photos: int, folder: str) -> None:
        super().__init__(
            text(
                "{project}: {n_missing} of {n_photos} photos are no longer in {folder}",
                project=project,
                n_missing=n_missing,
                n_photos=n_photos,
                folder=folder,
            ),
            text("Choose the folder that they are in now (--photos DIR on the command line)"),
        )
        self.project = project
