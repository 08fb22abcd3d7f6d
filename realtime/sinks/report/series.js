// The data of the page: unpacked, and thinned to what the screen can show.

async function unpacked(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new Kind(await new Response(stream).arrayBuffer());
  for (let i = 1; i < values.length; i++) values[i] += values[i - 1]; // wraps around, as the differences do
  return values;
}

// Smallest and largest value of each 4, 16, 64, ... frames, so that any zoom reads few numbers.
class Pyramid {
  static FAN = 4;

  constructor(values, missing) {
    this.missing = missing;
    this.levels = [{ low: values, high: values }];
    while (this.levels.at(-1).low.length > 256) this.levels.push(this.coarser(this.levels.at(-1)));
  }

  coarser({ low, high }) {
    const count = Math.ceil(low.length / Pyramid.FAN);
    const lows = new Uint8Array(count).fill(this.missing), highs = new Uint8Array(count).fill(this.missing);
    for (let i = 0; i < low.length; i++) {
      if (low[i] === this.missing) continue;
      const at = (i / Pyramid.FAN) | 0;
      lows[at] = Math.min(lows[at], low[i]); // missing is the largest number there is
      highs[at] = highs[at] === this.missing ? high[i] : Math.max(highs[at], high[i]);
    }
    return { low: lows, high: highs };
  }

  // The smallest and largest value of the frames from one index up to another; undefined where all are missing.
  range(from, to) {
    let low = this.missing, high = -1, i = Math.max(0, from);
    const end = Math.min(to, this.levels[0].low.length);
    while (i < end) {
      let level = 0, size = 1;
      while (level + 1 < this.levels.length && i % (size * Pyramid.FAN) === 0 && i + size * Pyramid.FAN <= end) {
        level++;
        size *= Pyramid.FAN;
      }
      const at = i / size, value = this.levels[level].low[at];
      if (value !== this.missing) {
        low = Math.min(low, value);
        high = Math.max(high, this.levels[level].high[at]);
      }
      i += size;
    }
    return high < 0 ? undefined : [low, high];
  }
}

class Face {
  static async from(of, data) {
    const curves = [of.smooth, of.raw, of.activity].map((text) => text && unpacked(text, Uint8Array));
    return new Face(of, ...(await Promise.all(curves)), data);
  }

  constructor(of, smooth, raw, activity, data) {
    Object.assign(this, { id: of.id, first: of.first, seconds: of.seconds, levels: data.levels, missing: data.missing, end: data.end });
    this.active = of.active;
    this.opened = of.opened;
    this.doubtful = of.doubtful;
    this.smooth = new Pyramid(smooth, data.missing);
    this.raw = new Pyramid(raw, data.missing);
    this.activity = new Pyramid(activity || new Uint8Array(), data.missing); // tables of an earlier version have none
  }

  // A value in a frame, 0..1, by default the openness; undefined where there is none.
  value(frame, pyramid = this.smooth) {
    const value = pyramid.levels[0].low[frame - this.first];
    return value === undefined || value === this.missing ? undefined : value / this.levels;
  }

  // A line through the frames from one index up to another, at most two points for each of so many columns. A frame
  // between two without the face has a second point, at its end, because a line needs two.
  line(pyramid, times, from, to, columns, place) {
    const x = [], y = [], start = Math.max(from, this.first);
    const end = Math.min(to, this.first + pyramid.levels[0].low.length);
    const step = Math.max(1, (to - from) / columns);
    let run = 0, next, value; // the points since the last gap, the end of the last frame, and its value
    const put = (time, value) => (x.push(time), y.push(place(value / this.levels)), run++);
    const finish = () => run === 1 && put(next, value);
    const first = Math.floor((start - from) / step), last = Math.ceil((end - from) / step);
    for (let column = first; column < last; column++) {
      const left = Math.max(start, from + Math.round(column * step));
      const right = Math.min(end, Math.max(left + 1, from + Math.round((column + 1) * step)));
      if (left >= right) continue;
      const found = pyramid.range(left - this.first, right - this.first);
      if (!found) {
        finish();
        if (run) (x.push(times[left]), y.push(NaN));
        run = 0;
        continue;
      }
      const time = times[left];
      put(time, found[0]);
      if (found[1] !== found[0]) put(times[right - 1] === time ? time : (time + times[right - 1]) / 2, found[1]);
      [next, value] = [times[right] ?? this.end, found[1]];
    }
    finish();
    return [x, y];
  }
}

// The outline of the area between a line and its base; each part between two gaps is closed.
function area([x, y], base) {
  const xs = [], ys = [];
  x.forEach((time, i) => {
    if (Number.isNaN(y[i])) return xs.push(NaN), ys.push(NaN);
    const begins = i === 0 || Number.isNaN(y[i - 1]), ends = i === x.length - 1 || Number.isNaN(y[i + 1]);
    if (begins) xs.push(time), ys.push(base);
    xs.push(time), ys.push(y[i]);
    if (ends) xs.push(time), ys.push(base);
  });
  return [xs, ys];
}

// The index of the first of ascending numbers that is larger than a value.
function above(numbers, value) {
  let low = 0, high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

// The spans [start, end, start, end, ...] within a range; those closer than a pixel are one, and fainter for its gaps.
function visibleSpans(spans, from, to, pixel) {
  const found = [];
  for (let i = above(spans, from) & ~1; i < spans.length && spans[i] < to; i += 2) {
    const last = found.at(-1), start = spans[i], end = spans[i + 1];
    if (last && start - last.end < pixel) {
      last.end = end;
      last.covered += end - start;
    } else found.push({ start, end, covered: end - start });
  }
  return found.map(({ start, end, covered }) => {
    const width = Math.max(end - start, pixel);
    return { start, end: start + width, share: Math.max(0.25, covered / width) };
  });
}
