// The cursor, and the video that follows it and leads it while it plays.

class Player {
  constructor(video, data, times) {
    Object.assign(this, { video, data, times, time: data.origin, listeners: [], playable: false });
    this.offset = data.video.start; // from the table's clock to the video's
    if (!data.video.address) return;
    for (const event of ["timeupdate", "seeked", "play", "pause"]) video.addEventListener(event, () => this.follow());
    video.addEventListener("loadedmetadata", () => (this.playable = true));
    video.src = data.video.address;
  }

  get playing() {
    return this.playable && !this.video.paused;
  }

  // Put the cursor at a time, and the video too.
  go(time) {
    this.time = Math.min(Math.max(time, this.data.origin), this.data.end);
    if (this.playable) this.video.currentTime = Math.max(0, this.middle(this.time) + this.offset);
    this.tell();
  }

  // A time inside the frame at this one: at its very start a player may still show the one before.
  middle(time) {
    const next = above(this.times, time), start = this.times[Math.max(0, next - 1)];
    return start + Math.min(0.02, ((this.times[next] ?? this.data.end) - start) / 2);
  }

  toggle() {
    if (!this.playable) return;
    if (this.video.paused) this.video.play().catch(() => this.tell());
    else this.video.pause();
  }

  follow() {
    if (!this.playing) return this.tell();
    this.time = this.video.currentTime - this.offset;
    this.tell();
    cancelAnimationFrame(this.request);
    this.request = requestAnimationFrame(() => this.follow());
  }

  tell() {
    for (const listener of this.listeners) listener();
  }
}
