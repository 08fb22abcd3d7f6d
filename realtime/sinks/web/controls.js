// Sliders, the record button, the outputs: what the program says of them, and what the user asks for.
import {Drawn} from "./avatars.js";

const KINDS = {activity: "Lips active", open: "Mouth open"};
const HINTS = {
  activity: (on, off) => `by how much the lips move; activity in tables: ${score(on)} and ${score(off)}`,
  open: () => "by openness, 0 to 1",
};
const TOP = {activity: 1, open: 1};
const STATES = {sending: "sending", waiting: "waiting for an answer", refused: "refused"};
const HALF_SCORE = 0.2; // the movement at which the column activity is 0.5 (docs/events.md, A limit of your own)
const HOLD = 400; // ms after a change in which what the program says does not move the slider

export const by = (id) => document.getElementById(id);

export function element(tag, text = "", attributes = {}) {
  const made = document.createElement(tag);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export class Controls {
  constructor(send) {
    this.send = send;
    this.sliders = {};
    this.hints = {};
    this.touched = -Infinity;
    by("record").onclick = () => this.record();
    by("save").onclick = () => send({type: "save"});
    by("saveprofile").onclick = () => send({type: "save", to: "profile"});
    by("reset").onclick = () => {
      this.touched = -Infinity;
      send({type: "reset"});
    };
    by("calibrate").onclick = () => send({type: "calibrate"});
    this.guide = new Drawn("guide", "#56b4e9");
    by("smooth").oninput = () => {
      this.touched = performance.now();
      this.showSmooth();
      send({type: "smooth", value: 10 ** Number(by("smooth").value)});
    };
  }

  record() {
    this.send({type: "record", on: !this.state?.recording});
  }

  take(state) {
    this.state = state;
    if (Object.keys(state.limits).join() !== Object.keys(this.sliders).join()) this.build(state.limits);
    if (performance.now() - this.touched > HOLD) this.place(state);
    const button = by("record");
    button.setAttribute("aria-pressed", state.recording);
    const minutes = Math.floor(state.seconds / 60);
    by("recordtext").textContent = state.recording ? `Stop ${minutes}:${String(state.seconds % 60).padStart(2, "0")}` : "Record";
    say("recorded", state.recording ? `Recording ${state.take}` : state.recorded || `Takes are saved in ${state.folder}`);
    by("save").disabled = !state.file;
    say("saveprofile", `Save in profile ${state.profile}`);
    say("saved", state.saved || (state.file ? `The file is ${state.file}` : "To keep the limits in a file, start with --save FILE.toml"));
    this.calibration(state);
    this.outputs(state.outputs);
  }

  build(limits) {
    this.sliders = {};
    this.hints = {};
    by("limits").replaceChildren();
    for (const kind of Object.keys(limits)) {
      const group = element("fieldset");
      const hint = element("small");
      group.append(element("legend", KINDS[kind]), hint);
      this.hints[kind] = hint;
      this.sliders[kind] = {on: this.slider(group, kind, "on", "starts from"), off: this.slider(group, kind, "off", "stops below")};
      by("limits").append(group);
    }
  }

  slider(group, kind, name, words) {
    const id = `${kind}-${name}`;
    const row = element("div", "", {class: "slider"});
    const input = element("input", "", {id, type: "range", min: 0.01, max: TOP[kind], step: 0.01});
    const number = element("span", "", {class: "number", "aria-hidden": "true"});
    row.append(element("label", words, {for: id}), input, number);
    group.append(row);
    input.oninput = () => this.change(kind, name);
    return {input, number};
  }

  // The upper level is never below the lower: the one that is moved takes the other along.
  change(kind, name) {
    this.touched = performance.now();
    const {on, off} = this.sliders[kind];
    if (Number(off.input.value) > Number(on.input.value)) {
      if (name === "on") off.input.value = on.input.value;
      else on.input.value = off.input.value;
    }
    this.number(kind);
    const limits = {on: Number(on.input.value), off: Number(off.input.value)};
    if (this.state) Object.assign(this.state.limits[kind], limits);
    this.send({type: "limits", kind, ...limits});
  }

  number(kind) {
    const {on, off} = this.sliders[kind];
    for (const {input, number} of [on, off]) number.textContent = Number(input.value).toFixed(2);
    this.hints[kind].textContent = HINTS[kind](Number(on.input.value), Number(off.input.value));
  }

  place(state) {
    for (const [kind, limits] of Object.entries(state.limits)) {
      for (const [name, {input}] of Object.entries(this.sliders[kind])) {
        if (limits.on > Number(input.max)) input.max = Math.ceil(limits.on);
        input.value = limits[name];
      }
      this.number(kind);
    }
    by("smooth").value = Math.log10(state.smooth);
    this.showSmooth();
  }

  showSmooth() {
    const hertz = 10 ** Number(by("smooth").value);
    by("smoothnumber").textContent = `${hertz.toPrecision(2)} Hz`;
    by("smooth").setAttribute("aria-valuetext", `${hertz.toPrecision(2)} hertz`);
  }

  calibration({calibration, phase}) {
    by("guide").hidden = !calibration;
    say("calibration", calibration);
    if (phase) {
      this.guide.show({open: phase === "wide" ? 1 : 0, lids: 1, bob: 0.5});
      by("guideface").replaceChildren(this.guide.element);
    } else by("guideface").replaceChildren();
  }

  outputs(outputs) {
    by("outputspanel").hidden = !outputs.length;
    const rows = outputs.map(({name, state, sent}) => {
      const row = element("li", "", {class: state});
      row.append(element("b", name), element("span", STATES[state], {class: "state"}), element("small", `${sent} sent`));
      return row;
    });
    by("outputs").replaceChildren(...rows);
  }
}

// A movement on the scale of the column activity, as activity_score in limits.py.
function score(movement) {
  return (movement / (movement + HALF_SCORE)).toFixed(2);
}

export function say(id, text) {
  if (by(id).textContent !== text) by(id).textContent = text;
}
