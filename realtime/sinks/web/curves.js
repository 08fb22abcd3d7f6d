// One face's curve: openness above, the lips' movement below, each with its limits as lines and its events as bars.
import {SPAN} from "./history.js";

const SHARE = 0.64; // of the height for the openness
const MOVEMENT_TOP = 0.8; // the movement at the top of its strip, where no limit is higher

export class Curve {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    new ResizeObserver(() => this.fit()).observe(canvas);
    this.fit();
  }

  fit() {
    const ratio = devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  x(time, now) {
    return this.width - ((now - time) / SPAN) * this.width;
  }

  draw(face, now, limits, look) {
    const {pen, width, height} = this;
    pen.clearRect(0, 0, width, height);
    const bottom = Math.round(height * SHARE);
    const open = {top: 5, bottom, highest: 1};
    const move = {top: bottom + 9, bottom: height - 5, highest: Math.max(MOVEMENT_TOP, 1.25 * (limits.activity?.on ?? 0))};
    this.frame(open, move, now, look);
    this.fillMovement(face, move, now, look);
    this.bars(face.events.open, now, open.bottom + 1.5, 3, look.ink);
    this.bars(face.events.activity, now, move.bottom + 1.5, 3, look.face);
    if (limits.open) this.limit(limits.open, open, look, "open");
    if (limits.activity) this.limit(limits.activity, move, look, "active");
    this.line(face, open, now, look);
  }

  y(value, band) {
    return band.bottom - (Math.min(value, band.highest) / band.highest) * (band.bottom - band.top);
  }

  frame(open, move, now, look) {
    const {pen} = this;
    pen.lineWidth = 1;
    pen.strokeStyle = look.line;
    pen.beginPath();
    for (const y of [open.top, (open.top + open.bottom) / 2, open.bottom, move.bottom]) {
      pen.moveTo(0, Math.round(y) + 0.5);
      pen.lineTo(this.width, Math.round(y) + 0.5);
    }
    for (let time = Math.ceil((now - SPAN) / 5) * 5; time <= now; time += 5) {
      const x = Math.round(this.x(time, now)) + 0.5;
      pen.moveTo(x, open.top);
      pen.lineTo(x, move.bottom);
    }
    pen.stroke();
  }

  limit({on, off}, band, look, word) {
    const {pen} = this;
    pen.lineWidth = 1.25;
    for (const [level, dash, alpha] of [[on, [6, 3], 1], [off, [2, 3], 0.75]]) {
      const y = Math.round(this.y(level, band)) + 0.5;
      pen.globalAlpha = alpha;
      pen.strokeStyle = look.mark;
      pen.setLineDash(dash);
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(this.width, y);
      pen.stroke();
    }
    pen.setLineDash([]);
    pen.globalAlpha = 1;
    if (!look.words) return;
    pen.font = `${look.size}px system-ui, sans-serif`;
    const text = `${word} from ${on.toFixed(2)}`;
    const wide = pen.measureText(text).width;
    const y = Math.max(band.top + look.size - 2, this.y(on, band) - 3);
    pen.globalAlpha = 0.8;
    pen.fillStyle = look.paper;
    pen.fillRect(1, y - look.size + 2, wide + 6, look.size);
    pen.globalAlpha = 1;
    pen.fillStyle = look.mark;
    pen.fillText(text, 4, y);
  }

  bars(spans, now, y, thick, colour) {
    this.pen.fillStyle = colour;
    for (const {start, stop} of spans) {
      if ((stop ?? now) < now - SPAN) continue;
      const left = this.x(start, now);
      this.pen.fillRect(left, y - thick / 2, Math.max(1.5, this.x(stop ?? now, now) - left), thick);
    }
  }

  * points(face, now) {
    const {times} = face;
    let index = 0;
    while (index < times.length && times[index] < now - SPAN - 0.5) index++;
    for (; index < times.length; index++) yield [index, this.x(times[index], now), index > 0 && times[index] - times[index - 1] > 0.35];
  }

  line(face, band, now, look) {
    const {pen} = this;
    pen.strokeStyle = look.face;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.beginPath();
    let first = true;
    for (const [index, x, gap] of this.points(face, now)) {
      const y = this.y(face.values[index], band);
      if (first || gap) pen.moveTo(x, y);
      else pen.lineTo(x, y);
      first = false;
    }
    pen.stroke();
    if (now - face.seen < 0.4 && face.values.length) {
      pen.fillStyle = look.face;
      pen.beginPath();
      pen.arc(Math.min(this.width - 4, this.x(face.seen, now)), this.y(face.values.at(-1), band), 4, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  fillMovement(face, band, now, look) {
    const {pen} = this;
    pen.fillStyle = look.face;
    pen.globalAlpha = 0.3;
    pen.beginPath();
    let last = null;
    for (const [index, x, gap] of this.points(face, now)) {
      if (last === null || gap) {
        if (last !== null) pen.lineTo(last, band.bottom);
        pen.moveTo(x, band.bottom);
      }
      pen.lineTo(x, this.y(face.movements[index], band));
      last = x;
    }
    if (last !== null) pen.lineTo(last, band.bottom);
    pen.fill();
    pen.globalAlpha = 1;
  }
}
