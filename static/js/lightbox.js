// [data-lightbox="id"]: a gallery whose [data-shot] links open large in that <dialog>. Left and right step; Compare puts
// the next picture under this one, and a slider says how much of each is seen.
(() => {
  const gallery = (inside) => inside.closest("[data-lightbox]");
  const dialog = (from) => document.getElementById(gallery(from).dataset.lightbox);
  const shots = (from) => [...gallery(from).querySelectorAll("[data-shot]")];
  const part = (box, name) => box.querySelector(`[data-lightbox-${name}]`);

  function show(box, at) {
    const all = shots(box);
    const place = (at + all.length) % all.length;
    const [shot, next] = [all[place], all[(place + 1) % all.length]];
    const both = part(box, "both")?.getAttribute("aria-pressed") === "true";
    box.dataset.at = place;
    part(box, "shown").src = shot.href;
    part(box, "shown").alt = shot.querySelector("img").alt;
    if (both) part(box, "under").src = next.href;
    part(box, "under").hidden = part(box, "divide").hidden = !both;
    part(box, "name").textContent = both ? `${shot.dataset.name} | ${next.dataset.name}` : shot.dataset.name;
    part(box, "facts").textContent = both ? "" : shot.dataset.facts;
    divide(box, both);
  }

  function divide(box, both = true) {
    const share = both ? 100 - part(box, "divide").value : 0;
    part(box, "shown").style.setProperty("clip-path", `inset(0 ${share}% 0 0)`);
  }

  function open(from, at, both = false) {
    const box = dialog(from);
    part(box, "both")?.setAttribute("aria-pressed", both);
    show(box, at);
    if (!box.open) box.showModal();
  }

  document.addEventListener("click", (event) => {
    const { target } = event;
    const shot = target.closest("[data-shot]");
    if (shot && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open(shot, shots(shot).indexOf(shot));
    } else if (target.closest("[data-lightbox-compare]")) {
      open(target, 0, true);
    } else if (target.closest("[data-lightbox-step]")) {
      const box = target.closest("dialog");
      show(box, Number(box.dataset.at) + Number(target.closest("[data-lightbox-step]").dataset.lightboxStep));
    } else if (target.closest("[data-lightbox-both]")) {
      const button = target.closest("[data-lightbox-both]");
      button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
      show(target.closest("dialog"), Number(target.closest("dialog").dataset.at));
    }
  });
  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-lightbox-divide]")) divide(target.closest("dialog"));
  });
  // Before the player hears the arrows: here they turn the pages.
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest("dialog.lightbox[open]");
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!box || !step || event.target.matches("input")) return;
    event.preventDefault();
    event.stopPropagation();
    show(box, Number(box.dataset.at) + step);
  }, true);
})();
