"""How much a mouth moves to and fro, which talking does and a smile, a yawn or a turning head does not.

The measure is path length minus nearly all of the net displacement, over a short window. A mouth that opens and closes
by ``a`` has a path length of ``2a`` and no net displacement. A mouth that opens into a smile has the same path length
as displacement, so that :data:`ONE_WAY` of it is left: more than at rest, too little for an event. A dead band, as in
the play of a gear, keeps noise out: the value must move by more than the band before the output follows. So the measure
counts strokes, not frames. It is the same at 10 and at 60 frames/s, as long as the frames show each stroke.

Movement is measured on the relative gap between the lips, not on openness. Openness rises steeply where a mouth begins
to open. Lips that part before a word, or to breathe, would count as much as the word itself.
"""

from collections import deque

from ...models.scale import GAP_RATIOS, gap_ratio_from_openness

WINDOW = 0.4  # s: long enough for the two strokes of a syllable (talking opens and closes 2 to 8 times a second)
# The share of a movement in one direction that counts. It ranks a first stroke above rest, which raises the AUC of the
# level. Even the widest stroke, 1, stays below the limits of an event, so that it neither starts nor keeps up one.
ONE_WAY = 0.01
DEAD_BAND = 0.03  # relative gap: the narrowest dead band
MAX_DEAD_BAND = 0.036  # relative gap: the widest; talking without long pauses would otherwise count as noise
DEAD_BAND_PER_NOISE = 8.0  # dead band for each unit of measured noise, which is a low quantile of the real noise
NOISE_RISE_TIME = 3.0  # s for the noise estimate to rise: slow, because talking must not count as noise
NOISE_FALL_TIME = 0.3  # s for the noise estimate to fall
SETTLING_TIME = 0.25  # s after a face appears in which only its noise is measured
SECOND_DIFFERENCE_GAIN = 2.45  # the root of 1 + 4 + 1, by which a second difference amplifies white noise


def relative_gap(openness: float) -> float:
    """Return the gap between the lips at an openness (0..1), as a share (0..1) of the widest gap."""
    closed, *_, widest = GAP_RATIOS
    return (gap_ratio_from_openness(openness) - closed) / (widest - closed)


class LipMovement:
    """The movement of one mouth. It is causal: later values have no influence.

    Attributes:
        level: path length minus all but ``ONE_WAY`` of the net displacement over the window, in widest gaps; 0 at rest.
        begin: the time of the oldest step in the window, in seconds.
        last: the time of the newest step, in seconds.
    """

    def __init__(self, window: float = WINDOW, dead_band: float = DEAD_BAND, one_way: float = ONE_WAY) -> None:
        """Begin at rest.

        Args:
            window: the seconds over which path length and displacement are summed.
            dead_band: the narrowest dead band, as a share of the widest gap. Noise widens it.
            one_way: the share of a movement in one direction that counts, 0..1.
        """
        self._window, self._dead_band, self._one_way = window, dead_band, one_way
        self.level = self.begin = self.last = 0.0
        self._held: float | None = None  # the output of the dead band
        self._steps: deque[tuple[float, float]] = deque()  # (time, signed step) within the window
        self._recent: deque[tuple[float, float]] = deque(maxlen=3)  # (time, relative gap)
        self._noise = self._since = 0.0

    def update(self, value: float, time: float) -> float:
        """Take an unsmoothed openness (0..1) at a time in seconds, and return the level."""
        value = relative_gap(value)
        self._measure_noise(value, time)
        half = min(MAX_DEAD_BAND, max(self._dead_band, DEAD_BAND_PER_NOISE * self._noise)) / 2
        if self._held is None or time - self._since < SETTLING_TIME:
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
        path_length = sum(abs(step) for _, step in self._steps)
        net_displacement = abs(sum(step for _, step in self._steps))
        self.level = max(0.0, path_length - (1 - self._one_way) * net_displacement)
        return self.level

    def _measure_noise(self, value: float, time: float) -> None:
        """Update the noise estimate: a low quantile of the second differences of the relative gap."""
        if self._recent and time <= self._recent[-1][0]:
            return
        if not self._recent:
            self._since = time
        self._recent.append((time, value))
        if len(self._recent) < 3:
            return
        (_, first), (middle, second), _ = self._recent
        noise = abs(first - 2 * second + value) / SECOND_DIFFERENCE_GAIN
        self._noise += (noise - self._noise) * min(
            1.0, (time - middle) / (NOISE_FALL_TIME if noise < self._noise else NOISE_RISE_TIME)
        )
