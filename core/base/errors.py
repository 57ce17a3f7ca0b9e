"""The one kind of failure that is shown to a person."""


class UserError(Exception):
    """Something the user can mend.

    ``str(error)`` is one line that names the file (or thing) and the remedy. The window and the
    command line print exactly that line; anything else that escapes is a bug and goes to the log.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what.rstrip('.')}. {remedy}".strip() if remedy else what)
        self.what = what
        self.remedy = remedy


class PhotosGoneError(UserError):
    """The photos of a saved ``project`` (its folder) are not where they were."""

    def __init__(self, project: str, n_gone: int, n: int, place: str) -> None:
        super().__init__(
            f"{project}: {n_gone} of {n} photos are no longer in {place}",
            "Choose the folder that they are in now (--photos DIR on the command line)",
        )
        self.project = project
