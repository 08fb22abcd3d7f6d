// The live page: it puts what the program sends where it is shown.
import {Cameras} from "./cameras.js";
import {Controls, by, element, say} from "./controls.js";
import {Curve} from "./curves.js";
import {Clock, Face, SPAN} from "./history.js";
import {Link} from "./link.js";
import {Stage} from "./stage.js";

const MAX_LOG = 200; // lines
const LOST = 0.3; // s without a value until a face counts as lost
const STILL = 1500; // ms without a frame until the page says so: the window beside it may be paused
const PROBLEM_SHOWN = 10_000; // ms
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const darkness = matchMedia("(prefers-color-scheme: dark)");
const VERBS = {
  activity: {start: "lips start to move", stop: "lips stop"},
  open: {start: "mouth opens", stop: "mouth closes"},
};

const clock = new Clock();
const faces = new Map();
const lanes = new Map();
const stage = new Stage(by("picture"));
let problemTimer = 0;
let run = null, about = null, waiting = [], look = {}, drawn = 0, told = 0, framed = 0;

const link = new Link({hello, source, state, value, frame, start: event, stop: event, picture, lost, error});
const controls = new Controls((message) => link.send(message));
const cameras = new Cameras((message) => link.send(message));

function hello(message) {
  if (message.run !== run) {
    clock.clear();
    faces.clear();
    by("log").replaceChildren();
  }
  run = message.run;
  about = message;
  waiting = [];
  source(message);
  by("nopicture").hidden = message.picture;
  framed = performance.now();
  connection("live", "live");
  readLook();
  if (message.picture) link.send({type: "picture"});
}

function source({source: name, size}) {
  Object.assign(about, {source: name, size});
  document.title = `${name} – mouth-live`;
  say("source", name);
  stage.begin(size, about.colours.dark);
}

function lost(ended) {
  connection("lost", ended ? "mouth-live has ended; the page goes on when it is started again" : "mouth-live does not answer; trying again");
  for (const face of faces.values()) for (const spans of Object.values(face.events)) if (spans.at(-1)) spans.at(-1).stop ??= clock.newest;
}

function connection(state, text) {
  document.body.dataset.connection = state;
  say("connection", text);
}

function state(message) {
  controls.take(message);
  cameras.take(message);
}

function error(message) {
  say("problem", message.message);
  by("problem").hidden = false;
  clearTimeout(problemTimer);
  problemTimer = setTimeout(() => (by("problem").hidden = true), PROBLEM_SHOWN);
}

function faceOf(id) {
  if (!faces.has(id)) faces.set(id, new Face(id));
  return faces.get(id);
}

function value(message) {
  faceOf(message.face_id).take(message);
  waiting.push(message);
}

function frame(message) {
  framed = performance.now();
  clock.take(message.timestamp);
  stage.take(message.frame, waiting);
  if (about && !about.picture) stage.show(message.frame, null);
  waiting = [];
  say("rate", message.rate.toFixed(0));
  say("dropped", String(message.dropped));
  if (link.connected) connection(message.silent ? "silent" : "live", message.silent ? "the camera gives no picture" : "live");
}

function event(message) {
  if (message.face_id === null) return;
  faceOf(message.face_id).event(message);
  const line = element("li");
  const chip = element("span", String(message.face_id), {class: "chip"});
  chip.style.setProperty("--face", `var(--face-${message.face_id % about.colours.dark.length})`);
  line.append(element("time", stamp(message.timestamp)), chip, element("span", VERBS[message.kind][message.type]));
  line.className = message.type;
  const log = by("log");
  log.prepend(line);
  while (log.children.length > MAX_LOG) log.lastChild.remove();
  by("nolog").hidden = true;
}

function stamp(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
}

async function picture(index, time, blob) {
  const image = await createImageBitmap(blob);
  requestAnimationFrame(() => {
    stage.show(index, image);
    link.send({type: "picture"}); // a hidden or slow page asks for less
  });
}

function colour(id) {
  const colours = about?.colours[darkness.matches ? "dark" : "light"] ?? ["#888"];
  return colours[id % colours.length];
}

function readLook() {
  const style = getComputedStyle(document.body);
  const of = (name) => style.getPropertyValue(name).trim();
  about?.colours[darkness.matches ? "dark" : "light"].forEach((one, id) => document.body.style.setProperty(`--face-${id}`, one));
  look = {ink: of("--ink"), line: of("--line"), mark: of("--mark"), paper: of("--paper"), size: Math.round(0.8 * parseFloat(style.fontSize))};
}
darkness.onchange = () => setTimeout(readLook);

function laneOf(face) {
  if (lanes.has(face.id)) return lanes.get(face.id);
  const item = by("lane").content.firstElementChild.cloneNode(true);
  const find = (name) => item.querySelector(name);
  find(".name").textContent = `Face ${face.id}`;
  const lane = {item, value: find(".value"), light: find(".light"), canvas: find("canvas"), curve: null};
  const after = [...lanes].filter(([id]) => id > face.id).sort(([a], [b]) => a - b)[0];
  by("lanes").insertBefore(item, after ? after[1].item : null);
  lane.curve = new Curve(lane.canvas);
  lanes.set(face.id, lane);
  return lane;
}

function drawLane(face, now) {
  const lane = laneOf(face);
  const here = now - face.seen < LOST && document.body.dataset.connection === "live";
  lane.item.classList.toggle("gone", !here);
  lane.item.style.setProperty("--face", colour(face.id));
  const text = here ? face.last.openness.toFixed(2) : "–";
  if (lane.value.textContent !== text) lane.value.textContent = text;
  lane.light.dataset.on = here && face.isOn("activity") ? "active" : here && face.isOn("open") ? "open" : "";
  lane.curve.draw(face, now, controls.state?.limits ?? {}, {...look, face: colour(face.id), words: lanes.size <= 3 || !lane.item.previousElementSibling});
}

function describe() {
  if (document.body.dataset.connection === "live" && performance.now() - framed > STILL) connection("silent", "no new picture");
  for (const face of faces.values()) {
    const on = face.isOn("activity") ? "lips active" : "lips at rest";
    const words = lanes.get(face.id)?.item.classList.contains("gone") ? "not seen" : `openness ${face.last?.openness.toFixed(2)}, ${on}`;
    lanes.get(face.id)?.canvas.setAttribute("aria-label", `Face ${face.id}: ${words}. Curve of the last ${SPAN} seconds`);
  }
  by("picture").setAttribute("aria-label", `Live picture of ${about?.source ?? "the camera"}, ${[...lanes.values()].filter(({item}) => !item.classList.contains("gone")).length} faces`);
}

function draw(moment) {
  requestAnimationFrame(draw);
  if (calm.matches && moment - drawn < 200) return;
  drawn = moment;
  const now = clock.now;
  for (const [id, face] of faces) {
    if (!face.last) continue; // only an event so far
    if (face.seen < now - SPAN) faces.delete(id);
    else drawLane(face, now);
  }
  for (const [id, lane] of lanes) {
    if (faces.has(id)) continue;
    lane.item.remove();
    lanes.delete(id);
  }
  by("lanes").dataset.many = lanes.size > 3;
  by("lanes").tabIndex = lanes.size > 3 ? 0 : -1; // a list that scrolls takes the arrow keys
  by("noface").hidden = lanes.size > 0;
  if (moment - told > 1000) {
    told = moment;
    readLook();
    describe();
  }
}

addEventListener("keydown", (pressed) => {
  if (pressed.target.tagName === "SELECT") return; // its letters choose
  if (pressed.ctrlKey || pressed.metaKey || pressed.altKey || pressed.repeat) return;
  if (pressed.key === "r") controls.record();
  if (pressed.key === "c") link.send({type: "calibrate"});
  if (pressed.key === "s" && !by("save").disabled) link.send({type: "save"});
});

requestAnimationFrame(draw);
window.live = {clock, controls, faces, lanes, link, stage};
