// .slider: a range and a number box that say the same; the filled part of the track follows.
(() => {
  function fill(range) {
    const { value, min, max } = range;
    range.style.setProperty("--fill", `${100 * (value - min) / (max - min)}%`);
  }

  document.addEventListener("input", ({ target }) => {
    const slider = target.closest(".slider");
    if (slider && (target.value === "" || Number.isNaN(Number(target.value)))) return;
    for (const input of slider?.querySelectorAll("input") ?? []) if (input !== target) input.value = target.value;
    for (const range of slider?.querySelectorAll("[type=range]") ?? [target].filter((one) => one.type === "range")) fill(range);
  });
  const all = () => document.querySelectorAll("[type=range]").forEach(fill);
  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, all);
})();
