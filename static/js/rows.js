// Walking a list by keyboard: J and K move, Enter opens.
// A page of many unfinished rows asks about the first 60 of them, so that the address stays short.
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());

  function move(by) {
    const all = rows();
    const from = all.findIndex((row) => row.classList.contains("is-current"));
    const next = all[Math.min(all.length - 1, Math.max(0, from + by))];
    for (const row of all) row.classList.toggle("is-current", row === next);
    next?.querySelector(".rows__title")?.focus();
    next?.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.documentElement.dataset.keys === "off") return;
    if (event.target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const by = { j: 1, k: -1 }[event.key];
    if (!by || !rows().length) return;
    event.preventDefault();
    move(by);
  });

  document.addEventListener("htmx:configRequest", ({ target, detail }) => {
    if (target.id !== "live") return;
    const live = detail.formData.getAll("live");
    detail.formData.delete("live");
    for (const one of live.slice(0, 60)) detail.formData.append("live", one);
  });
})();
