// [data-entries]: a textarea of JSON, a list of objects, becomes rows of boxes; data-most limits them. The textarea is
// what is sent, so the rows only write into it. What a row holds besides its boxes stays.
(() => {
  const area = (field) => field.querySelector("textarea");
  const list = (field) => field.querySelector("ol");
  const rows = (field) => [...list(field).children];
  const boxes = (row) => [...row.querySelectorAll("[data-entry]")];
  const rest = new WeakMap();

  function add(field, entry = null) {
    const row = field.querySelector("template").content.firstElementChild.cloneNode(true);
    if (entry) {
      const { ...more } = entry;
      for (const box of boxes(row)) {
        box.value = entry[box.dataset.entry] ?? "";
        delete more[box.dataset.entry];
      }
      rest.set(row, more);
    }
    list(field).append(row);
    return row;
  }

  function settle(field) {
    const most = Number(field.dataset.most) || Infinity;
    field.querySelector("[data-entry-add]").parentElement.hidden = rows(field).length >= most;
    rows(field).forEach((row, at) => { row.querySelector("[data-entry-number]").textContent = at + 1; });
  }

  function value(box) {
    const number = Number(box.value);
    return box.hasAttribute("data-number") && box.value.trim() && Number.isFinite(number) ? number : box.value;
  }

  function write(field) {
    const full = rows(field).filter((row) => boxes(row).some((box) => box.value.trim() && box.value !== box.defaultValue));
    const entries = full.map((row) => {
      const given = boxes(row).filter((box) => box.value.trim()).map((box) => [box.dataset.entry, value(box)]);
      return { ...Object.fromEntries(given), ...rest.get(row) };
    });
    area(field).value = entries.length ? JSON.stringify(entries) : "";
    area(field).dispatchEvent(new Event("input", { bubbles: true }));
  }

  function start(field) {
    if (field.dataset.ready) return;
    field.dataset.ready = "yes";
    const source = area(field);
    let given = [];
    try {
      given = JSON.parse(source.value || "[]");
    } catch {
      return; // What cannot be read is put right where it was written.
    }
    if (!Array.isArray(given) || given.some((entry) => !entry || typeof entry !== "object")) return;
    for (const entry of given) add(field, entry);
    if (!rows(field).length) add(field);
    const first = boxes(list(field).firstElementChild)[0];
    for (const name of ["aria-describedby", "aria-invalid"]) {
      if (source.hasAttribute(name)) first.setAttribute(name, source.getAttribute(name));
    }
    first.id = source.id;
    source.removeAttribute("id");
    source.hidden = true;
    list(field).hidden = false;
    settle(field);
  }

  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-entry]")) write(target.closest("[data-entries]"));
  });
  document.addEventListener("click", ({ target }) => {
    const field = target.closest("[data-entries]");
    if (target.closest("[data-entry-add]")) boxes(add(field))[0].focus();
    else if (target.closest("[data-entry-remove]")) {
      const row = target.closest("li");
      if (rows(field).length > 1) row.remove();
      else for (const box of boxes(row)) box.value = box.defaultValue;
      write(field);
      boxes(list(field).lastElementChild)[0].focus();
    } else return;
    settle(field);
  });
  const all = () => document.querySelectorAll("[data-entries]").forEach(start);
  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, all);
})();
