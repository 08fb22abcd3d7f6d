// The live picture, with the boxes and values of the very frame that it shows.
const KEPT = 120; // frames whose values wait for their picture
const PLATE = "rgba(20, 22, 28, 0.8)";

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", {alpha: false});
    this.frames = new Map();
    this.shown = null; // {index, image}
    this.size = [16, 9];
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  begin(size, colours) {
    this.size = size;
    this.colours = colours;
    this.frames.clear();
    this.shown?.image?.close();
    this.shown = null;
    this.canvas.style.setProperty("--wide", size[0] / size[1]);
    this.draw();
  }

  take(index, values) {
    this.frames.set(index, values);
    for (const old of this.frames.keys()) {
      if (this.frames.size <= KEPT) break;
      this.frames.delete(old);
    }
  }

  show(index, image) {
    this.shown?.image?.close();
    this.shown = {index, image};
    this.draw();
  }

  draw() {
    const {pen, canvas} = this;
    const ratio = devicePixelRatio || 1;
    const wide = Math.round(canvas.clientWidth * ratio);
    const high = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
    pen.fillStyle = "#0c0e11";
    pen.fillRect(0, 0, wide, high);
    if (!this.shown || !wide) return;
    if (this.shown.image) pen.drawImage(this.shown.image, 0, 0, wide, high);
    const unit = Math.max(11 * ratio, Math.min(wide, high) / 30);
    for (const value of this.frames.get(this.shown.index) ?? []) this.face(value, wide / this.size[0], unit);
  }

  face({face_id: id, box, openness, active}, scale, unit) {
    const {pen} = this;
    const colour = this.colours[id % this.colours.length];
    const [x, y, w, h] = box.map((number) => number * scale);
    const line = Math.max(2, unit / 8);
    const corner = active ? null : Math.min(w, h) * 0.22;
    for (const [style, thick] of [["rgba(12, 14, 18, 0.8)", line + 2], [colour, line]]) {
      pen.strokeStyle = style;
      pen.lineWidth = thick;
      pen.lineCap = "round";
      pen.setLineDash(corner === null ? [] : [2 * corner, w - 2 * corner, 2 * corner, h - 2 * corner]);
      pen.lineDashOffset = corner === null ? 0 : corner;
      pen.strokeRect(x, y, w, h);
    }
    pen.setLineDash([]);
    this.plate(id, colour, openness, active, x, y, w, unit);
  }

  plate(id, colour, openness, active, x, y, w, unit) {
    const {pen, canvas} = this;
    pen.font = `600 ${unit}px system-ui, sans-serif`;
    const text = openness.toFixed(2);
    const chip = pen.measureText(String(id)).width + unit * 0.6;
    const pad = unit * 0.4;
    const wide = chip + pen.measureText("0.00").width + 3 * pad + (active ? unit * 0.7 : 0);
    const high = unit * 2.25;
    const left = Math.max(0, Math.min(canvas.width - wide, w < wide ? x + (w - wide) / 2 : x));
    const top = y - high - unit * 0.3 < 0 ? y + unit * 0.3 : y - high - unit * 0.3;
    round(pen, left, top, wide, high, unit * 0.4, PLATE);
    round(pen, left + pad, top + pad, chip, unit * 1.15, unit * 0.28, colour);
    pen.textBaseline = "middle";
    pen.fillStyle = "#14161c";
    pen.fillText(String(id), left + pad + unit * 0.3, top + pad + unit * 0.62);
    pen.fillStyle = "#fff";
    pen.fillText(text, left + 2 * pad + chip, top + pad + unit * 0.62);
    if (active) {
      pen.beginPath();
      pen.arc(left + wide - pad - unit * 0.22, top + pad + unit * 0.58, unit * 0.24, 0, 2 * Math.PI);
      pen.fill();
    }
    const bar = wide - 2 * pad;
    round(pen, left + pad, top + high - pad * 0.9 - unit * 0.22, bar, unit * 0.24, unit * 0.12, "#545860");
    if (openness > 0.02) round(pen, left + pad, top + high - pad * 0.9 - unit * 0.22, bar * openness, unit * 0.24, unit * 0.12, colour);
  }
}

function round(pen, x, y, wide, high, radius, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(x, y, wide, high, Math.min(radius, wide / 2));
  pen.fill();
}
