// The menu of cameras: what there is, the one that is shown, and what became of the last choice.
import {by, element, say} from "./controls.js";

const SETTLE = 500; // ms: arrow keys pass over cameras that are not meant

export class Cameras {
  constructor(send) {
    this.send = send;
    this.menu = by("camera");
    this.listed = "";
    this.chosen = 0; // the timer of a choice that is not sent yet
    this.menu.onfocus = () => send({type: "cameras"}); // one may have been plugged in
    this.menu.onchange = () => {
      clearTimeout(this.chosen);
      this.chosen = setTimeout(() => this.choose(), SETTLE);
    };
  }

  choose() {
    this.chosen = 0;
    this.send({type: "camera", choice: this.menu.value});
  }

  take({cameras, camera, opening, problem, recording}) {
    const listed = JSON.stringify(cameras);
    if (listed !== this.listed) {
      this.listed = listed;
      const wanted = this.menu.value;
      this.menu.replaceChildren(...cameras.map(({key, name}) => element("option", name, {value: key})));
      this.menu.value = wanted;
    }
    if (!this.chosen) this.menu.value = opening ?? camera;
    this.menu.disabled = recording;
    const name = cameras.find(({key}) => key === opening)?.name;
    say("cameranote", opening ? `Opening ${name} …` : recording ? "End the recording to choose another" : "");
    say("cameraproblem", problem);
    by("cameraproblem").hidden = !problem;
  }
}
