// What was heard of each face in the last half minute.
export const SPAN = 30; // s that a curve shows
const KEPT = SPAN + 5;

export class Face {
  constructor(id) {
    this.id = id;
    this.times = [];
    this.values = [];
    this.movements = [];
    this.events = {activity: [], open: []};
    this.seen = -Infinity;
  }

  take(message) {
    if (message.timestamp < this.seen) this.forget();
    this.last = message;
    this.seen = message.timestamp;
    this.times.push(message.timestamp);
    this.values.push(message.openness);
    this.movements.push(message.movement ?? 0);
    if (this.times.length > 256 && this.times[128] < this.seen - KEPT) {
      for (const list of [this.times, this.values, this.movements]) list.splice(0, 128);
    }
  }

  event(message) {
    const spans = this.events[message.kind];
    const last = spans.at(-1);
    if (message.type === "start") {
      if (!last || last.stop !== null) spans.push({start: message.timestamp, stop: null});
    } else if (last && last.stop === null) last.stop = message.timestamp;
    if (spans.length > 64) spans.shift();
  }

  isOn(kind) {
    const last = this.events[kind].at(-1);
    return last !== undefined && last.stop === null;
  }

  forget() {
    this.times.length = this.values.length = this.movements.length = 0;
    for (const spans of Object.values(this.events)) spans.length = 0;
  }
}

// The source's time now, from the times of its messages: it runs on between them, so that curves glide.
export class Clock {
  constructor() {
    this.clear();
  }

  clear() {
    this.offset = null;
    this.newest = -Infinity;
  }

  take(time) {
    const offset = performance.now() / 1000 - time;
    const off = this.offset === null ? Infinity : Math.abs(offset - this.offset);
    this.offset = off > 0.4 ? offset : this.offset + 0.05 * (offset - this.offset);
    this.newest = time;
  }

  get now() {
    if (this.offset === null) return 0;
    return Math.min(performance.now() / 1000 - this.offset, this.newest + 0.25);
  }
}
