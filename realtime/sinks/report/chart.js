// The curves, drawn by Bokeh: one lane for each face that is shown, all on one axis of time.

const LANES = { least: 92, most: 200, all: 420 }; // pixels: the height of one, and of all where they are few
const AXIS = 26; // pixels above the lanes, as in the style sheet
const CURVE = { bottom: 0.26, height: 0.66 }; // of a lane
const BARS = { active: [0.12, 0.2], opened: [0.03, 0.09] };
const STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 36000];
const TICK_PIXELS = 95;

const make = (kind, attributes = {}) => new (Bokeh.Models.get(kind))(attributes);

function clockText(seconds, decimals) {
  const sign = seconds < 0 ? "\u2212" : "", factor = 10 ** decimals, all = Math.round(Math.abs(seconds) * factor);
  const whole = Math.floor(all / factor), two = (number) => String(number).padStart(2, "0");
  const h = Math.floor(whole / 3600), m = Math.floor(whole / 60) % 60;
  const part = decimals ? "." + String(all % factor).padStart(decimals, "0") : "";
  return `${sign}${h ? `${h}:${two(m)}` : m}:${two(whole % 60)}${part}`;
}

class Chart {
  constructor(place, data, times) {
    Object.assign(this, { place, data, times, faces: [], raw: false, activity: true, listeners: [] });
    const { origin, end } = data, frame = (end - origin) / times.length;
    const bounds = [origin, end];
    this.range = make("Range1d", { start: origin, end, bounds, min_interval: Math.min(4 * frame, end - origin) });
    this.lanes = make("Range1d", { start: 0, end: 1 });
    this.ticker = make("FixedTicker", { ticks: [] });
    this.axis = make("LinearAxis", { ticker: this.ticker, axis_line_color: null, minor_tick_line_color: null });
    this.axis.major_label_text_font = "system-ui, sans-serif";
    this.levels = make("Grid", { dimension: 1, ticker: make("FixedTicker", { ticks: [] }) });
    this.verticals = make("Grid", { dimension: 0, ticker: this.ticker });
    this.plot = make("Plot", {
      x_range: this.range, y_range: this.lanes, sizing_mode: "stretch_width", toolbar_location: null,
      min_border: 0, min_border_top: AXIS, border_fill_color: null, background_fill_color: null, outline_line_color: null,
      frame_height: LANES.most,
    });
    this.plot.add_layout(this.levels);
    this.plot.add_layout(this.verticals);
    this.plot.add_layout(this.axis, "above");
    const rectangle = { left: { field: "left" }, right: { field: "right" }, top: { field: "top" }, bottom: { field: "bottom" } };
    const lines = { xs: { field: "xs" }, ys: { field: "ys" }, line_color: { field: "color" }, line_join: "bevel" };
    this.doubtful = this.glyph("Quad", { ...rectangle, line_color: null, hatch_pattern: "/", hatch_scale: 7, hatch_weight: 1 });
    const areas = { xs: lines.xs, ys: lines.ys, line_color: null, fill_color: { field: "color" } };
    this.activityAreas = this.glyph("Patches", { ...areas, fill_alpha: 0.2 });
    this.activityLimits = this.glyph("MultiLine", { ...lines, line_width: 1, line_alpha: 0.6, line_dash: [2, 3] });
    this.bars = this.glyph("Quad", { ...rectangle, line_color: null, fill_color: { field: "color" }, fill_alpha: { field: "alpha" } });
    this.rawLines = this.glyph("MultiLine", { ...lines, line_width: 1, line_alpha: 0.45 });
    this.smoothLines = this.glyph("MultiLine", { ...lines, line_width: 1.5 });
    const wheel = make("WheelZoomTool", { dimensions: "width", maintain_focus: false }), pan = make("PanTool", { dimensions: "width" });
    this.plot.add_tools(wheel, pan);
    this.plot.toolbar.active_scroll = wheel;
    this.plot.toolbar.active_drag = pan;
    this.range.change.connect(() => this.draw()); // once for both ends
    this.plot.properties.inner_width.change.connect(() => this.draw());
  }

  glyph(kind, attributes) {
    const source = make("ColumnDataSource", { data: {} });
    for (const value of Object.values(attributes)) if (value?.field) source.data[value.field] = [];
    this.plot.add_glyph(make(kind, attributes), source);
    return { source, glyph: this.plot.renderers.at(-1).glyph };
  }

  async open() {
    const document = new (Bokeh.require("document").Document)();
    document.add_root(this.plot);
    await Bokeh.embed.add_document_standalone(document, this.place);
  }

  // Show these faces, one above the other.
  show(faces) {
    this.faces = faces;
    const count = Math.max(1, faces.length), ticks = [];
    faces.forEach((face, lane) => ticks.push(...[0, 0.5, 1].map((value) => this.height(lane, value))));
    this.levels.ticker.ticks = ticks;
    this.lanes.setv({ start: 0, end: count });
    this.laneHeight = Math.max(LANES.least, Math.min(LANES.most, Math.floor(LANES.all / count)));
    this.plot.frame_height = count * this.laneHeight;
    this.draw();
  }

  // Take the colours of the style sheet.
  paint(dark) {
    this.dark = dark;
    const style = getComputedStyle(document.body), colour = (name) => style.getPropertyValue(name).trim();
    this.axis.setv({ major_label_text_color: colour("--soft"), major_tick_line_color: colour("--line") });
    this.levels.grid_line_color = colour("--line");
    this.verticals.grid_line_color = colour("--line");
    this.doubtful.glyph.setv({ fill_color: colour("--doubt"), fill_alpha: 1, hatch_color: colour("--hatch") });
    this.ink = colour("--ink");
    this.draw();
  }

  get colours() {
    return this.data.colours[this.dark ? "dark" : "light"];
  }

  get pixels() {
    return Math.max(50, this.plot.inner_width || this.place.clientWidth);
  }

  height(lane, value) {
    return this.faces.length - 1 - lane + CURVE.bottom + CURVE.height * value;
  }

  frameAt(time) {
    return Math.max(0, above(this.times, time) - 1);
  }

  x(time) {
    return ((time - this.range.start) / (this.range.end - this.range.start)) * this.pixels;
  }

  time(x) {
    return this.range.start + (x / this.pixels) * (this.range.end - this.range.start);
  }

  // Show a range of time, moved and shortened to what there is.
  view(start, end) {
    const { origin, end: last } = this.data, length = Math.min(last - origin, Math.max(end - start, this.range.min_interval));
    const from = Math.min(Math.max(start, origin), last - length);
    this.range.setv({ start: from, end: from + length });
  }

  zoom(factor, around) {
    const { start, end } = this.range, at = around >= start && around <= end ? around : (start + end) / 2;
    this.view(at - (at - start) * factor, at + (end - at) * factor);
  }

  // Draw what the range shows. Called for each step of a zoom, so it makes at most two points for each pixel.
  draw() {
    if (this.drawing || this.dark === undefined) return;
    this.drawing = true;
    const { start, end } = this.range, columns = this.pixels, pixel = (end - start) / columns;
    const from = Math.max(0, this.frameAt(start) - 1), to = Math.min(this.times.length, this.frameAt(end) + 2);
    const color = this.faces.map((face) => this.colours[face.id % this.colours.length]);
    const found = (name) => this.faces.map((face, lane) => face.line(face[name], this.times, from, to, columns, (v) => this.height(lane, v)));
    const lines = (of) => ({ xs: of.map((line) => line[0]), ys: of.map((line) => line[1]), color });
    const empty = { xs: [], ys: [], color: [] };
    this.smoothLines.source.data = lines(found("smooth"));
    this.rawLines.source.data = this.raw ? lines(found("raw")) : empty;
    const limit = (lane) => this.height(lane, this.data.activityLimit);
    this.activityAreas.source.data = this.activity ? lines(found("activity").map((line, lane) => area(line, this.height(lane, 0)))) : empty;
    this.activityLimits.source.data = this.activity ? lines(this.faces.map((_, lane) => [[start, end], [limit(lane), limit(lane)]])) : empty;
    this.drawSpans(start, end, pixel, color);
    this.drawTicks(start, end, columns);
    this.drawing = false;
    for (const listener of this.listeners) listener();
  }

  drawSpans(start, end, pixel, color) {
    const rectangles = () => ({ left: [], right: [], top: [], bottom: [], color: [], alpha: [] });
    const bars = rectangles(), doubtful = rectangles();
    const put = (to, span, [bottom, top], lane, color, alpha) => {
      const base = this.faces.length - 1 - lane;
      to.left.push(span.start), to.right.push(span.end), to.bottom.push(base + bottom), to.top.push(base + top);
      to.color.push(color), to.alpha.push(alpha);
    };
    this.faces.forEach((face, lane) => {
      for (const span of visibleSpans(face.active, start, end, pixel)) put(bars, span, BARS.active, lane, color[lane], span.share);
      for (const span of visibleSpans(face.opened, start, end, pixel)) put(bars, span, BARS.opened, lane, this.ink, span.share);
      for (const span of visibleSpans(face.doubtful, start, end, pixel)) put(doubtful, span, [0, 1], lane, "", 1);
    });
    this.bars.source.data = bars;
    this.doubtful.source.data = doubtful;
  }

  drawTicks(start, end, columns) {
    const wanted = ((end - start) * TICK_PIXELS) / columns, step = STEPS.find((one) => one >= wanted) ?? STEPS.at(-1);
    const ticks = [], labels = new Map(), decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
    for (let i = Math.ceil(start / step); i * step <= end; i++) {
      ticks.push(i * step);
      labels.set(i * step, clockText(i * step, decimals));
    }
    this.axis.major_label_overrides = labels;
    this.ticker.ticks = ticks;
  }
}
