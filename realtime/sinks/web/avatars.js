// The ways to show a mouth. Each has an element, and shows a moment: how far the mouth is open, and how it blinks and bobs.
const SVG = "http://www.w3.org/2000/svg";
const PARTS = `
<defs><clipPath id="CLIP"><path class="mouth"/></clipPath>
<radialGradient id="SKIN" cx="0.4" cy="0.25" r="0.9"><stop offset="0" stop-color="#fff" stop-opacity="0.42"/><stop offset="0.6" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.2"/></radialGradient></defs>
<path d="M100 14 C154 14 184 50 184 104 C184 160 150 192 100 192 C50 192 16 160 16 104 C16 50 46 14 100 14 Z" fill="FACE"/>
<path d="M100 14 C154 14 184 50 184 104 C184 160 150 192 100 192 C50 192 16 160 16 104 C16 50 46 14 100 14 Z" fill="url(#SKIN)" stroke="#14161c" stroke-width="5"/>
<ellipse cx="50" cy="120" rx="15" ry="9" fill="#fff" opacity="0.28"/><ellipse cx="150" cy="120" rx="15" ry="9" fill="#fff" opacity="0.28"/>
<g class="brows" fill="none" stroke="#14161c" stroke-width="6" stroke-linecap="round"><path d="M52 62 Q67 52 82 60"/><path d="M118 60 Q133 52 148 62"/></g>
<g class="lids"><ellipse cx="68" cy="92" rx="12" ry="16" fill="#14161c"/><ellipse cx="132" cy="92" rx="12" ry="16" fill="#14161c"/>
<circle cx="72" cy="86" r="4.5" fill="#fff"/><circle cx="136" cy="86" r="4.5" fill="#fff"/></g>
<path class="mouth" fill="#3a0d16"/>
<g clip-path="url(#CLIP)"><ellipse class="tongue" cx="100" cy="190" rx="26" ry="18" fill="#e8707e"/><rect class="teeth" x="60" y="110" width="80" height="10" fill="#fff"/></g>
<path class="mouth" fill="none" stroke="#14161c" stroke-width="6" stroke-linejoin="round" stroke-linecap="round"/>`;

export class Drawn {
  constructor(id, colour) {
    this.element = document.createElement("div");
    this.element.className = "avatar";
    const text = PARTS.replaceAll("CLIP", `clip${id}`).replaceAll("SKIN", `skin${id}`).replaceAll("FACE", colour);
    const svg = new DOMParser().parseFromString(`<svg xmlns="${SVG}" viewBox="0 0 200 200" preserveAspectRatio="xMidYMax meet">${text}</svg>`, "image/svg+xml");
    this.element.append(document.importNode(svg.documentElement, true));
    const find = (name) => this.element.querySelector(name);
    this.mouths = this.element.querySelectorAll(".mouth");
    [this.lids, this.brows, this.tongue, this.teeth] = [".lids", ".brows", ".tongue", ".teeth"].map(find);
  }

  show({open, lids, bob}) {
    const half = 27 - 5 * open, up = 142 - 9 * open, y = 136 + 4 * open, down = 142 + 58 * open;
    const path = `M${100 - half} ${y} Q100 ${up} ${100 + half} ${y} C${100 + half} ${down} ${100 - half} ${down} ${100 - half} ${y} Z`;
    for (const mouth of this.mouths) mouth.setAttribute("d", path);
    this.teeth.setAttribute("y", y - 14 + 8 * open);
    this.tongue.setAttribute("cy", 153 + 44 * open);
    this.lids.style.transform = `scaleY(${lids})`;
    this.brows.style.transform = `translateY(${-5 * open}px)`;
    sway(this.element, open, bob);
  }
}

export class Pictures {
  constructor(count) {
    this.element = document.createElement("div");
    this.element.className = "avatar";
    const box = document.createElement("div");
    box.className = "pictures";
    this.images = Array.from({length: count}, (_, number) => {
      const image = new Image();
      image.src = `avatar/${number}.png`;
      image.alt = "";
      return image;
    });
    box.append(...this.images);
    this.element.append(box);
    this.level = -1;
  }

  // A picture is left only when the value is well past the border to the next, so that it does not flicker there.
  show({open, bob}) {
    const steps = this.images.length;
    const exact = open * steps;
    if (this.level < 0 || exact < this.level - 0.15 || exact > this.level + 1.15 || open < 0.02) {
      const level = Math.min(steps - 1, Math.floor(Math.max(0, exact)));
      if (level !== this.level) this.images.forEach((image, number) => image.classList.toggle("on", number === level));
      this.level = level;
    }
    sway(this.element, open, bob);
  }
}

export class Bar {
  constructor(id, colour) {
    this.element = document.createElement("div");
    this.element.className = "avatar";
    this.fill = document.createElement("div");
    this.fill.className = "fill";
    this.fill.style.setProperty("--face", colour);
    this.element.append(this.fill);
  }

  show({open}) {
    this.fill.style.width = `${100 * open}%`;
  }
}

export class Glow {
  constructor(id, colour) {
    this.element = document.createElement("div");
    this.element.className = "avatar";
    this.colour = colour;
  }

  show({open}) {
    const style = this.element.style;
    style.boxShadow = `inset 0 0 0 ${2 + 6 * open}px ${this.colour}, inset 0 0 ${20 + 120 * open}px ${this.colour}`;
    style.opacity = Math.min(1, open * 2.5);
  }
}

function sway(element, open, bob) {
  element.style.transform = `translateY(${-1.2 * bob - 1.6 * open}%) rotate(${1.1 * (bob - 0.5)}deg) scaleY(${1 + 0.012 * bob})`;
}
