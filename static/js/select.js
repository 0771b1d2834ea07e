// Many rows at once: boxes with name="pick", [data-select-all] takes all that are shown, a click with Shift takes a
// range, [data-bulk-count] counts. X takes the current row, S clicks its star. Whether the bar shows is a matter of CSS.
(() => {
  const boxes = () => [...document.querySelectorAll('input[type="checkbox"][name="pick"]')].filter((box) => box.checkVisibility());
  let last = null;

  function show() {
    const all = boxes();
    const chosen = all.filter((box) => box.checked);
    for (const count of document.querySelectorAll("[data-bulk-count]")) count.textContent = chosen.length;
    for (const head of document.querySelectorAll("[data-select-all]")) {
      head.checked = chosen.length > 0 && chosen.length === all.length;
      head.indeterminate = chosen.length > 0 && chosen.length < all.length;
    }
  }

  document.addEventListener("click", ({ target, shiftKey }) => {
    if (target.matches("[data-select-all]")) for (const box of boxes()) box.checked = target.checked;
    if (target.matches('input[name="pick"]')) {
      const all = boxes();
      if (shiftKey && all.includes(last)) {
        const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((a, b) => a - b);
        for (const box of all.slice(from, to + 1)) box.checked = target.checked;
      }
      last = target;
    }
    show();
  });
  document.addEventListener("reset", () => setTimeout(show));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.documentElement.dataset.keys === "off") return;
    if (event.target.closest('input:not([type="checkbox"]), textarea, select') || document.querySelector("dialog[open]")) return;
    const row = document.querySelector("[data-row].is-current");
    const element = { x: 'input[name="pick"]', s: ".btn--star" }[event.key];
    row?.querySelector(element ?? "#nothing")?.click();
  });
  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, show);
})();
