"""When a picture is due, by a clock that stands still but for what is drawn."""

import pytest

from core.base.jobs import Progress
from core.geometry.view import View
from core.session.viewer import previewer


def test_a_picture_that_cannot_be_drawn_is_begun_anew_and_not_gone_on_with(monkeypatch):
    begun = []

    def draws(*_):
        begun.append(1)
        yield Progress(0.5)
        raise ZeroDivisionError

    monkeypatch.setattr(previewer, "render_preview", draws)
    monkeypatch.setattr(previewer.Previewer, "_surface", lambda *_: None)
    watched = previewer.Previewer(lambda *_: None)
    watched.set_view(View(1, (), 0.8, 64, 48))
    for times in (1, 2):
        watched.work(None, None, 0, training=False)  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            watched.work(None, None, 0, training=False)  # type: ignore[arg-type]
        assert len(begun) == times


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_refreshes_take_the_share_of_the_time_that_the_view_allows(monkeypatch, share):
    now = [0.0]

    def draws(*_):
        for _ in range(3):
            now[0] += 1.0
            yield Progress(0.5)
        now[0] += 1.0
        return "picture"

    monkeypatch.setattr(previewer, "render_preview", draws)
    monkeypatch.setattr(previewer.Previewer, "_surface", lambda *_: None)
    shown = []
    watched = previewer.Previewer(lambda *picture: shown.append(picture), clock=lambda: now[0])
    watched.set_view(View(1, (), 0.8, 64, 48, duty_cycle=share))
    drawing = trained = 0.0
    for version in range(2000):
        began = now[0]
        if watched.work(None, None, version, training=True):  # type: ignore[arg-type]
            drawing += now[0] - began
        else:
            now[0] += 0.25
            trained += 0.25
    assert len(shown) > 10
    assert drawing / (drawing + trained) == pytest.approx(share, rel=0.1)
