// The chart as SVG, for paper: Bokeh's canvas cannot change its colours before the browser prints, and is coarse.

const PAPER = { grid: "#dddfe3", text: "#4b5563", ink: "#1c1f24", doubt: "#efe6d6" };

function chartSvg(chart) {
  const { faces, times, laneHeight } = chart, width = chart.pixels, height = AXIS + faces.length * laneHeight;
  const { start, end } = chart.range, pixel = (end - start) / width;
  const from = Math.max(0, chart.frameAt(start) - 1), to = Math.min(times.length, chart.frameAt(end) + 2);
  const y = (place) => (AXIS + (faces.length - place) * laneHeight).toFixed(1), x = (time) => chart.x(time).toFixed(1);
  const parts = [];
  const box = ({ start: left, end: right, share }, bottom, top, colour) => {
    const d = `M${x(left)} ${y(bottom)}H${x(right)}V${y(top)}H${x(left)}`;
    parts.push(`<path fill="${colour}" fill-opacity="${share.toFixed(2)}" d="${d}"/>`);
  };
  const line = (d, colour, stroke) => parts.push(`<path fill="none" stroke="${colour}" stroke-width="${stroke}" d="${d}"/>`);
  faces.forEach((face, lane) => {
    const base = faces.length - 1 - lane;
    for (const span of visibleSpans(face.doubtful, start, end, pixel)) box({ ...span, share: 1 }, base, base + 1, PAPER.doubt);
  });
  for (const tick of chart.ticker.ticks) {
    line(`M${x(tick)} ${AXIS - 4}V${height}`, PAPER.grid, 1);
    const anchor = chart.x(tick) < 15 ? "start" : chart.x(tick) > width - 15 ? "end" : "middle";
    const text = chart.axis.major_label_overrides.get(tick), place = `x="${x(tick)}" y="${AXIS - 10}"`;
    parts.push(`<text ${place} font-size="11" text-anchor="${anchor}" fill="${PAPER.text}">${text}</text>`);
  }
  for (const level of chart.levels.ticker.ticks) line(`M0 ${y(level)}H${width}`, PAPER.grid, 1);
  faces.forEach((face, lane) => {
    const base = faces.length - 1 - lane, colours = chart.data.colours.light, colour = colours[face.id % colours.length];
    const points = (pyramid) => face.line(pyramid, times, from, to, width, (value) => chart.height(lane, value));
    const path = ([xs, ys]) => {
      let pen = "M", d = "";
      xs.forEach((time, i) => {
        d += Number.isNaN(ys[i]) ? "" : `${pen}${x(time)} ${y(ys[i])}`;
        pen = Number.isNaN(ys[i]) ? "M" : "L";
      });
      return d;
    };
    if (chart.activity) {
      parts.push(`<path fill="${colour}" fill-opacity="0.2" d="${path(area(points(face.activity), chart.height(lane, 0)))}"/>`);
      const d = `M0 ${y(chart.height(lane, chart.data.activityLimit))}H${width}`;
      parts.push(`<path fill="none" stroke="${colour}" stroke-width="0.5" stroke-dasharray="2 3" d="${d}"/>`);
    }
    if (chart.raw) line(path(points(face.raw)), colour, 0.5);
    line(path(points(face.smooth)), colour, 1.2);
    const bars = (spans, [bottom, top], tone) => {
      for (const span of visibleSpans(spans, start, end, pixel)) box(span, base + bottom, base + top, tone);
    };
    bars(face.active, BARS.active, colour);
    bars(face.opened, BARS.opened, PAPER.ink);
  });
  const size = `viewBox="0 0 ${width} ${height}" width="100%" height="${height}" preserveAspectRatio="none"`;
  return `<svg ${size} font-family="system-ui, sans-serif">${parts.join("")}</svg>`;
}
