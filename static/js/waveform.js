// <wave-form peaks="12 40 …" played="0.4">: bars from peaks (0 to 100), two layers, the upper clipped.
// Lists give peaks with a letter for each, in 64 steps.
// Without peaks it is a flat line. With role="slider" it seeks, and tells the page by a bubbling `wave:seek` event with
// detail 0 to 1. With data-region too, a drag chooses a part: `wave:region` with {from, to, done}, each end 0 to 1.
// `from` and `to` show a part.
class WaveForm extends HTMLElement {
  static observedAttributes = ["peaks", "played", "from", "to"];
  static DRAG = 6; // pixels that make a drag of a click

  #pressed = null; // where the pointer went down, while it chooses a part
  #dragged = false;

  #resized = new ResizeObserver(() => this.#draw());

  connectedCallback() {
    this.#resized.observe(this);
    this.addEventListener("pointerdown", this);
    this.addEventListener("pointermove", this);
    this.addEventListener("pointerup", this);
    this.addEventListener("pointercancel", this);
    this.addEventListener("keydown", this);
  }

  disconnectedCallback() {
    this.#resized.disconnect();
  }

  attributeChangedCallback(name) {
    if (name !== "peaks") this.style.setProperty(`--${name}`, `${100 * this.getAttribute(name)}%`);
    else this.#draw();
  }

  get #seekable() {
    return this.getAttribute("role") === "slider";
  }

  get #seconds() {
    return Number(this.getAttribute("aria-valuemax")) || 1;
  }

  #draw() {
    const width = this.clientWidth;
    if (!width) return;
    const given = read(this.getAttribute("peaks") ?? "");
    const peaks = given.length > 1 ? given : [2, 2];
    const pitch = width > 500 ? 4.5 : width > 240 ? 4 : 3.2;
    const bars = resample(peaks, Math.max(8, Math.floor(width / pitch)));
    const d = bars.map((peak, i) => {
      const half = Math.max(1, peak * 0.48);
      return `M${i + 0.5} ${(50 - half).toFixed(1)}v${(2 * half).toFixed(1)}`;
    }).join("");
    const layer = () => {
      const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      svg.setAttribute("viewBox", `0 0 ${bars.length} 100`);
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("aria-hidden", "true");
      svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", d);
      return svg;
    };
    this.replaceChildren(layer(), layer());
  }

  #seek(fraction) {
    const detail = Math.min(1, Math.max(0, fraction));
    this.dispatchEvent(new CustomEvent("wave:seek", { bubbles: true, detail }));
  }

  handleEvent(event) {
    if (!this.#seekable) return;
    if (event.type === "keydown") {
      const step = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -15, PageUp: 15 }[event.key];
      const edge = { Home: 0, End: 1 }[event.key];
      if (step === undefined && edge === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      this.#seek(edge ?? Number(this.getAttribute("played")) + step / this.#seconds);
    } else if (this.dataset.region !== undefined) {
      this.#choose(event);
    } else if (event.type === "pointerdown" || (event.type === "pointermove" && event.buttons === 1)) {
      if (event.type === "pointerdown") this.setPointerCapture(event.pointerId);
      this.#seek(this.#place(event));
    }
  }

  #place({ clientX }) {
    const box = this.getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - box.left) / box.width));
  }

  // A click goes there; a drag chooses from where it began to where it ends.
  #choose(event) {
    const { type, button, clientX, pointerId } = event;
    if (type === "pointerdown" && button === 0) {
      this.setPointerCapture(pointerId);
      [this.#pressed, this.#dragged] = [{ clientX }, false];
    }
    if (!this.#pressed) return;
    this.#dragged ||= Math.abs(clientX - this.#pressed.clientX) > WaveForm.DRAG;
    const ends = [this.#place(this.#pressed), this.#place(event)].sort((a, b) => a - b);
    const done = type === "pointerup";
    if (type === "pointercancel") this.#pressed = null;
    else if (this.#dragged && type !== "pointerdown") {
      this.dispatchEvent(new CustomEvent("wave:region", { bubbles: true, detail: { from: ends[0], to: ends[1], done } }));
    } else if (done) this.#seek(ends[0]);
    if (done) this.#pressed = null;
  }
}

// A new bar stands for the old bars it covers: half their loudest, half their mean, so neither clicks nor pauses vanish.
function read(peaks) {
  if (peaks.includes(" ")) return peaks.split(" ").map(Number);
  const steps = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return [...peaks].map((step) => steps.indexOf(step) * 100 / 63);
}

function resample(peaks, count) {
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor(i * peaks.length / count);
    const covered = peaks.slice(from, Math.max(from + 1, Math.floor((i + 1) * peaks.length / count)));
    return (Math.max(...covered) + covered.reduce((sum, peak) => sum + peak, 0) / covered.length) / 2;
  });
}

customElements.define("wave-form", WaveForm);
