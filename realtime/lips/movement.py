"""How much a mouth goes to and fro: what talking does, and a smile, a yawn or a turning head does not.

The measure is the way that the openness has gone over a short window, less what it has got on by: a mouth that opens
and closes by a goes 2a and gets nowhere, one that opens into a smile gets as far as it goes. A slack, like the play of
a gear, keeps noise out: the value must move by more than it until anything follows. So the measure counts strokes, not
frames, and is the same at 10 and at 60 frames/s as long as the strokes are seen at all.

It is measured on the gap between the lips that the openness stands for, as a share of the widest. Openness itself rises
steeply where a mouth begins to open, so that lips which part before a word, or to breathe, would count like the word.
"""

from collections import deque

from ...models.scale import GAP_RATIOS, gap_ratio_from_openness

WINDOW = 0.4  # s: two strokes of one syllable (talking opens and closes 2 to 8 times a second) fall within it
SLACK = 0.03  # of the gap, at least
MOST_SLACK = 0.036  # ... and at most: without a pause for long, talking itself begins to pass for noise
SLACK_NOISE = 8.0  # slack in units of the noise as it is measured, which is a low quantile of it
NOISE_UP = 3.0  # s for the noise to follow upwards: talking must not count as noise; at first sight it follows at once
NOISE_DOWN = 0.3  # s for it to follow downwards
SETTLE = 0.25  # s of a face new in sight in which only its noise is measured
SECOND_DIFFERENCE = 2.45  # root of 1 + 4 + 1: what a second difference makes of white noise


def gap(openness: float) -> float:
    """The gap between the lips that an openness (0..1) stands for, as a share (0..1) of that of a mouth fully open."""
    closed, *_, widest = GAP_RATIOS
    return (gap_ratio_from_openness(openness) - closed) / (widest - closed)


class LipMovement:
    """The to-and-fro of one mouth, causal: it knows nothing of later values.

    Attributes:
        level: the way gone over the window less the distance got on, in widest gaps; 0 where it rests.
        begin: when the oldest movement of the window was seen, in seconds.
        last: when the value moved last, in seconds.
    """

    def __init__(self, window: float = WINDOW, slack: float = SLACK) -> None:
        """Begin at rest.

        Args:
            window: seconds over which the way is summed up.
            slack: share of the widest gap by which it must move at least until anything follows.
        """
        self._window, self._slack = window, slack
        self.level = self.begin = self.last = 0.0
        self._held: float | None = None  # the value behind the slack
        self._steps: deque[tuple[float, float]] = deque()  # (time, signed step) within the window
        self._recent: deque[tuple[float, float]] = deque(maxlen=3)  # (time, value)
        self._noise = self._since = 0.0

    def update(self, value: float, time: float) -> float:
        """Take in an unsmoothed openness (0..1) at a time in seconds; the level there."""
        value = gap(value)
        self._measure_noise(value, time)
        half = min(MOST_SLACK, max(self._slack, SLACK_NOISE * self._noise)) / 2
        if self._held is None or time - self._since < SETTLE:
            self._held, self.begin = value, time
            return 0.0
        before = self._held
        self._held = min(max(before, value - half), value + half)
        if self._held != before:
            self._steps.append((time, self._held - before))
            self.last = time
        while self._steps and time - self._steps[0][0] >= self._window:
            self._steps.popleft()
        self.begin = self._steps[0][0] if self._steps else time
        way, got = sum(abs(step) for _, step in self._steps), abs(sum(step for _, step in self._steps))
        self.level = way - got
        return self.level

    def _measure_noise(self, value: float, time: float) -> None:
        """Follow the quiet level of the value's second differences."""
        if self._recent and time <= self._recent[-1][0]:
            return
        if not self._recent:
            self._since = time
        self._recent.append((time, value))
        if len(self._recent) < 3:
            return
        (_, first), (middle, second), _ = self._recent
        bend = abs(first - 2 * second + value) / SECOND_DIFFERENCE
        self._noise += (bend - self._noise) * min(
            1.0, (time - middle) / (NOISE_DOWN if bend < self._noise else NOISE_UP)
        )
