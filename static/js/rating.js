// What marks one generation, its star and its rating, is sent without leaving the page: the buttons of the form "mark".
// <rating-bars value="3"> in a [data-row] becomes such buttons, those of <template id="rating">, so that a long list
// does not carry them.
customElements.define("rating-bars", class extends HTMLElement {
  connectedCallback() {
    const buttons = document.getElementById("rating")?.content;
    const title = this.closest("[data-row]")?.querySelector("a.rows__title");
    if (!buttons || !title || this.querySelector("button")) return;
    const value = Number(this.getAttribute("value") ?? 0);
    this.replaceChildren(buttons.cloneNode(true));
    const group = this.firstElementChild;
    group.setAttribute("aria-label", group.getAttribute("aria-label").replace("%n", value).replace("%t", () => title.textContent));
    for (const [place, button] of [...this.querySelectorAll("button")].entries()) {
      button.setAttribute("formaction", `${title.getAttribute("href")}rate/`);
      button.setAttribute("aria-pressed", place + 1 === value);
      button.classList.toggle("is-on", place < value);
      if (place + 1 === value) button.value = 0;
    }
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.('button[form="mark"]:is([name="on"], [name="rating"])');
  if (!button) return;
  event.preventDefault();
  const group = button.closest("rating-bars, .rating");
  const [place, before] = [group ? [...group.querySelectorAll("button")].indexOf(button) : 0, (group ?? button).previousElementSibling];
  const [within, focused] = [(group ?? button).parentElement, document.activeElement === button];
  htmx.ajax("POST", button.getAttribute("formaction"), {
    source: button, target: group ?? button, swap: "outerHTML", values: { [button.name]: button.value },
  }).then(() => {
    const now = before ? before.nextElementSibling : within.firstElementChild;
    if (focused) (now?.matches("button") ? now : now?.querySelectorAll("button")[place])?.focus();
  });
});
