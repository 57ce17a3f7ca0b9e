"""The one kind of failure that is shown to a person."""

from __future__ import annotations

from core.base.text import NO_TEXT, Text, text


class UserError(Exception):
    """Something the user can mend.

    ``str(error)`` is one line that names the file (or thing) and the remedy. The window and the
    command line print exactly that line; anything else that escapes is a bug and goes to the log.
    """

    def __init__(self, what: Text, remedy: Text = NO_TEXT) -> None:
        message = text("{what}. {remedy}", what=what, remedy=remedy) if remedy else what
        super().__init__(message)
        self.what = what
        """without a full stop"""
        self.remedy = remedy
        self.text = message


class PhotosGoneError(UserError):
    """The photos of a saved ``project`` (its folder) are not where they were."""

    def __init__(self, project: str, n_gone: int, n: int, place: str) -> None:
        super().__init__(
            text(
                "{project}: {n_gone} of {n} photos are no longer in {place}",
                project=project,
                n_gone=n_gone,
                n=n,
                place=place,
            ),
            text("Choose the folder that they are in now (--photos DIR on the command line)"),
        )
        self.project = project
