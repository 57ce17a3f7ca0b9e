import pytest

from core.base.text import NO_TEXT
from core.capture.poses.progress_estimate import ProgressEstimator, mapping_items, matching_items


class Work:
    """Phases done in a world where each takes ``seconds`` an item, however long that usually is."""

    def __init__(self, **seconds):
        self.now, self.told = 0.0, []
        self.seconds = seconds
        self.progress = ProgressEstimator(
            lambda share, words, found: self.told.append((self.now, share)), lambda: self.now
        )

    def do(self, phase, n, lot=5):
        for done in range(0, n, lot):
            self.progress.update(phase, done, n, NO_TEXT)
            self.now += self.seconds[phase] * min(lot, n - done)
        self.progress.finish(phase)

    def errors(self):
        return [abs(share - at / self.now) for at, share in self.told]


def test_the_share_done_is_the_share_of_time():
    work = Work(copy=0.03, features=0.42, overview=0.0042, matches=0.08)
    work.progress.expect(copy=40, features=40, overview=800, matches=300)
    for phase, n in (("copy", 40), ("features", 40), ("overview", 800), ("matches", 300)):
        work.do(phase, n)
    assert max(work.errors()) < 0.02


@pytest.mark.parametrize("slower", [0.3, 3.0])
def test_a_slower_or_faster_machine_is_found_out_by_its_first_items(slower):
    work = Work(copy=0.03 * slower, features=0.42 * slower, matches=0.08 * slower)
    work.progress.expect(copy=100, features=100, matches=800)
    for phase, n in (("copy", 100), ("features", 100), ("matches", 800)):
        work.do(phase, n)
    later = [error for (at, _), error in zip(work.told, work.errors()) if at > 0.3 * work.now]
    assert max(later) < 0.06


def test_the_share_never_shrinks_though_more_comes_up():
    work = Work(matches=0.08)
    work.progress.expect(matches=100)
    work.do("matches", 100)
    work.progress.expect(matches=1000)
    work.do("matches", 1000)
    shares = [share for _, share in work.told]
    assert shares == sorted(shares)
    assert shares[-1] <= 1
    assert work.progress.seconds == {"matches": pytest.approx(88)}
    assert work.progress.total == pytest.approx(88)


def test_more_photos_and_details_are_more_work():
    assert matching_items(10, 6000) == 10
    assert matching_items(10, 1000) < matching_items(10, 3000) < matching_items(20, 3000)
    assert mapping_items(80, 4000) == pytest.approx(4 * mapping_items(40, 4000))
