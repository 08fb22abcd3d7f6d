// The page: what the pointer, the keys and the buttons do.

const MOST_LANES = 12; // at first; those of the faces that were seen longest
const at = (id) => document.getElementById(id);

const data = JSON.parse(at("data").textContent);
const ticks = await unpacked(data.times, Uint32Array);
const times = Float64Array.from(ticks, (tick) => data.origin + tick / data.ticks);
const faces = await Promise.all(data.faces.map((face) => Face.from(face, data)));
const chart = new Chart(at("plot"), data, times);
const player = new Player(at("video"), data, times);
const hasActivity = data.faces.some((face) => face.activity);
const dark = matchMedia("(prefers-color-scheme: dark)");
let hovered; // the time under the pointer

// --- faces

const boxes = [...document.querySelectorAll("input[data-face]")];
const longest = [...faces].sort((one, other) => other.seconds - one.seconds).slice(0, MOST_LANES);
for (const box of boxes) {
  box.checked = longest.some((face) => face.id === Number(box.dataset.face));
  box.addEventListener("change", showFaces);
}
document.body.classList.toggle("faceless", !faces.length);
if (faces.length > MOST_LANES) at("few").textContent = `The ${MOST_LANES} faces seen longest are shown; choose in the table below.`;

function showFaces() {
  const chosen = new Set(boxes.filter((box) => box.checked).map((box) => Number(box.dataset.face)));
  const shown = faces.filter((face) => chosen.has(face.id));
  chart.show(shown);
  at("labels").replaceChildren(...shown.map(label));
  paintLabels(chart.colours);
  at("lanes").hidden = !shown.length;
  showValues();
}

function label(face) {
  const row = document.createElement("div"), picture = boxes.find((box) => Number(box.dataset.face) === face.id).nextElementSibling;
  row.className = "label";
  row.style.height = `${chart.laneHeight}px`;
  const name = document.createElement("b"), value = document.createElement("output"), scale = document.createElement("i");
  const activity = document.createElement("small");
  name.textContent = `Face ${face.id}`;
  value.dataset.face = face.id;
  scale.innerHTML = "<span>1</span><span>0</span>";
  row.append(picture.cloneNode(true), name, value, activity, scale);
  return row;
}

// --- cursor

function placeLine(line, time) {
  const x = time === undefined ? -1 : chart.x(time);
  line.style.display = x < 0 || x > chart.pixels ? "none" : "block";
  line.style.transform = `translateX(${x}px)`;
}

const valueText = (value) => (value === undefined ? "\u2013" : value.toFixed(2));

function showValues() {
  const time = hovered ?? player.time, frame = chart.frameAt(time);
  for (const output of at("labels").querySelectorAll("output")) {
    const face = faces.find((face) => face.id === Number(output.dataset.face));
    output.textContent = valueText(face.value(frame));
    output.nextElementSibling.textContent = chart.activity ? `activity ${valueText(face.value(frame, face.activity))}` : "";
  }
  at("clock").textContent = clockText(time, 2);
  placeLine(at("cursor"), player.time);
  placeLine(at("pointer"), hovered);
  at("play").textContent = player.playing ? "Pause" : "Play";
}

// Move the view with the cursor when it leaves it.
function keepInView() {
  const { start, end } = chart.range, length = end - start;
  if (player.time < start || player.time > end) chart.view(player.time - 0.1 * length, player.time + 0.9 * length);
}

function goTo(time) {
  player.go(time);
  keepInView();
}

function goToEvent(direction) {
  const starts = chart.faces.flatMap((face) => [...face.active, ...face.opened].filter((_, i) => i % 2 === 0));
  const ahead = starts.filter((start) => (start - player.time) * direction > 0.01);
  if (ahead.length) goTo(direction > 0 ? Math.min(...ahead) : Math.max(...ahead));
}

// --- view

function setRaw(raw) {
  chart.raw = raw;
  at("raw").setAttribute("aria-pressed", raw);
  chart.draw();
}

function setActivity(shown) {
  chart.activity = shown && hasActivity;
  at("activity").setAttribute("aria-pressed", chart.activity);
  for (const one of document.querySelectorAll(".key.activity")) one.hidden = !chart.activity;
  chart.draw();
}

function paintLabels(colours) {
  for (const row of at("labels").children) {
    const id = Number(row.querySelector("output").dataset.face);
    row.style.setProperty("--face", colours[id % colours.length]);
  }
}

function paint() {
  chart.paint(dark.matches);
  paintLabels(chart.colours);
}

const zoom = (factor) => chart.zoom(factor, player.time);
const whole = () => chart.view(data.origin, data.end);
const step = (event, direction) => {
  const frame = chart.frameAt(player.time) + direction;
  goTo(event.shiftKey ? times[Math.min(Math.max(frame, 0), times.length - 1)] : player.time + direction);
};
const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: (event) => step(event, -1),
  ArrowRight: (event) => step(event, 1),
  "+": () => zoom(1 / 1.5),
  "=": () => zoom(1 / 1.5),
  "-": () => zoom(1.5),
  0: whole,
  Home: () => goTo(data.origin),
  End: () => goTo(data.end),
  n: () => goToEvent(1),
  p: () => goToEvent(-1),
  r: () => setRaw(!chart.raw),
  a: () => setActivity(!chart.activity),
};

addEventListener("keydown", (event) => {
  const inControl = event.target.matches?.("button, input, video") && event.key === " ";
  if (event.ctrlKey || event.metaKey || event.altKey || inControl || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key](event);
});
const buttons = { play: " ", in: "+", out: "-", whole: "0", raw: "r", activity: "a", next: "n", previous: "p" };
for (const [id, key] of Object.entries(buttons)) at(id).addEventListener("click", (event) => KEYS[key](event));

const pointerTime = (event) => chart.time(event.clientX - at("plot").getBoundingClientRect().left);
at("plot").addEventListener("pointermove", (event) => ((hovered = pointerTime(event)), showValues()));
at("plot").addEventListener("pointerleave", () => ((hovered = undefined), showValues()));
chart.plot.on_event("tap", (event) => player.go(event.x));

// --- video

if (data.video.address) {
  at("aside").hidden = false;
  document.body.classList.add("with-video");
  at("video").addEventListener("error", () => {
    at("video").hidden = true;
    at("videotext").className = "warning";
    at("videotext").textContent =
      `${data.video.name} cannot be shown: it is no longer at ${data.video.place}, seen from this page, ` +
      "or this browser does not know its format. MP4 (H.264) and WebM are known to most.";
    at("play").disabled = true;
  });
} else at("play").disabled = true;

chart.listeners.push(showValues);
player.listeners.push(() => {
  if (player.playing) keepInView();
  showValues();
});
dark.addEventListener("change", () => paint());
addEventListener("beforeprint", () => {
  at("paper").innerHTML = chartSvg(chart);
  paintLabels(data.colours.light);
});
addEventListener("afterprint", () => paint());

await chart.open();
at("activity").hidden = !hasActivity;
setActivity(true);
paint();
showFaces();
Object.assign(window, { report: { chart, player, faces, times } }); // for the browser's console, and for tests
