// The page for OBS: an avatar for each face, or for one. A mouth closes when its face or the connection is lost.
import {Bar, Drawn, Glow, Pictures} from "./avatars.js";
import {Link} from "./link.js";

const LOST = 150; // ms without a value until the mouth closes, or one and a half frames where those are longer ...
const ABSENT = 90; // ... and where a frame came without its face: a face that is missed in one frame keeps its mouth
const GONE = 1000; // ms without a value until the avatar makes room for others
const RISE = 28, FALL = 55, CLOSE = 30; // ms: how fast the mouth follows, and how fast it closes when its face is lost
const ask = new URLSearchParams(location.search);
const style = ask.get("style") ?? "avatar"; // the program refuses values that an option cannot have
const wanted = ask.get("face");
const chosenColour = ask.has("colour") ? `#${ask.get("colour")}` : null;
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const stage = document.getElementById("stage");
if (style !== "avatar") stage.classList.add(style); // an avatar has that class itself
for (const turn of ["mirror", "flip"]) stage.classList.toggle(turn, ask.get(turn) === "1");

const mouths = new Map();
let about = null, largest = null, values = [], patience = LOST, before = performance.now();

function hello(message) {
  if (about?.run !== message.run) {
    for (const mouth of mouths.values()) mouth.look.element.remove();
    mouths.clear();
    largest = null;
  }
  about = message;
  if (!mouths.size) mouthOf(wanted === null || wanted === "largest" ? 0 : Number(wanted));
}

function mouthOf(id) {
  if (mouths.has(id)) return mouths.get(id);
  const colour = chosenColour ?? about.colours.dark[id % about.colours.dark.length];
  const look = style === "bar" ? new Bar(id, colour) : style === "glow" ? new Glow(id, colour) : about.avatar ? new Pictures(about.avatar) : new Drawn(id, colour);
  const mouth = {id, look, target: 0, open: 0, heard: -Infinity, absent: false, blink: 1500 + 3000 * Math.random(), phase: 6 * Math.random()};
  const after = [...mouths.values()].filter((other) => other.id > id).sort((a, b) => a.id - b.id)[0];
  stage.insertBefore(look.element, after ? after.look.element : null);
  mouths.set(id, mouth);
  return mouth;
}

function value(message) {
  values.push(message);
}

function frame({rate}) {
  const now = performance.now();
  patience = rate > 0 ? Math.max(LOST, 1500 / rate) : LOST;
  for (const mouth of mouths.values()) mouth.absent = true;
  for (const {face_id: id, openness} of shown(now)) Object.assign(mouthOf(id), {target: openness, heard: now, absent: false});
  values = [];
}

function lost() {
  for (const mouth of mouths.values()) mouth.absent = true;
}

// With face=largest one avatar, number 0, speaks for the largest face, and keeps to it until it is lost.
function shown(now) {
  if (wanted === null) return values;
  if (wanted !== "largest") return values.filter(({face_id: id}) => String(id) === wanted);
  const same = values.find(({face_id: id}) => id === largest?.id);
  if (!same && (!largest || now - largest.heard > GONE)) {
    largest = values.reduce((most, {face_id: id, box}) => (box[2] * box[3] > (most?.area ?? 0) ? {id, area: box[2] * box[3]} : most), null);
  }
  const its = values.find(({face_id: id}) => id === largest?.id);
  if (its) largest.heard = now;
  return its ? [{...its, face_id: 0}] : [];
}

function draw(now) {
  requestAnimationFrame(draw);
  const step = Math.min(100, now - before);
  before = now;
  const anyone = [...mouths.values()].some(({heard}) => now - heard < GONE);
  let last = null;
  for (const mouth of mouths.values()) last = !last || mouth.heard > last.heard ? mouth : last;
  for (const [id, mouth] of mouths) {
    if (now - mouth.heard > GONE && (anyone || mouth !== last)) {
      mouth.look.element.remove();
      mouths.delete(id);
      continue;
    }
    const isLost = now - mouth.heard > (mouth.absent ? ABSENT : patience);
    if (isLost) mouth.target = 0;
    move(mouth, step, isLost);
    mouth.look.show({open: mouth.open, lids: lids(mouth, now), bob: calm.matches ? 0.5 : 0.5 + 0.5 * Math.sin(now / 900 + mouth.phase)});
  }
}

function move(mouth, step, isLost) {
  const time = isLost ? CLOSE : mouth.target > mouth.open ? RISE : FALL;
  mouth.open += (mouth.target - mouth.open) * (1 - Math.exp(-step / time));
  if (mouth.open < 0.01 && mouth.target === 0) mouth.open = 0;
}

function lids(mouth, now) {
  if (calm.matches) return 1;
  if (now > mouth.blink + 160) mouth.blink = now + 1800 + 3600 * Math.random();
  return now < mouth.blink ? 1 : Math.max(0.08, Math.abs((now - mouth.blink) / 80 - 1));
}

const link = new Link({hello, value, frame, lost});
requestAnimationFrame(draw);
window.obs = {link, mouths};
