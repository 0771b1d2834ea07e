// [data-pairs]: a textarea of "word/sound" lines becomes rows of two boxes; data-most limits them. The textarea is
// what is sent, so the rows only write into it.
(() => {
  const area = (field) => field.querySelector("textarea");
  const list = (field) => field.querySelector("ul");
  const rows = (field) => [...list(field).children];
  const part = (row, name) => row.querySelector(`[data-pair=${name}]`);

  function add(field, word = "", sound = "") {
    const row = field.querySelector("template").content.firstElementChild.cloneNode(true);
    part(row, "word").value = word;
    part(row, "sound").value = sound;
    list(field).append(row);
    return row;
  }

  function settle(field) {
    const most = Number(field.dataset.most) || Infinity;
    field.querySelector("[data-pair-add]").parentElement.hidden = rows(field).length >= most;
  }

  function write(field) {
    const pairs = rows(field).map((row) => [part(row, "word").value.trim(), part(row, "sound").value.trim()]);
    area(field).value = pairs.filter((pair) => pair.some(Boolean)).map((pair) => pair.join("/")).join("\n");
    area(field).dispatchEvent(new Event("input", { bubbles: true }));
  }

  function start(field) {
    if (field.dataset.ready) return;
    field.dataset.ready = "yes";
    const source = area(field);
    for (const line of source.value.split("\n").filter((text) => text.trim())) {
      const at = line.indexOf("/");
      if (at < 0) add(field, line);
      else add(field, line.slice(0, at), line.slice(at + 1));
    }
    if (!rows(field).length) add(field);
    const first = part(list(field).firstElementChild, "word");
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
    if (target.matches("[data-pair]")) write(target.closest("[data-pairs]"));
  });
  document.addEventListener("click", ({ target }) => {
    const field = target.closest("[data-pairs]");
    if (target.closest("[data-pair-add]")) part(add(field), "word").focus();
    else if (target.closest("[data-pair-remove]")) {
      const row = target.closest("li");
      if (rows(field).length > 1) row.remove();
      else for (const box of row.querySelectorAll("[data-pair]")) box.value = "";
      write(field);
      part(list(field).lastElementChild, "word").focus();
    } else return;
    settle(field);
  });
  const all = () => document.querySelectorAll("[data-pairs]").forEach(start);
  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, all);
})();
