// <template id="uses">: links that end in front of the place of a result. When the menu of a row that sounds is opened
// for the first time they come into it, each with the place of that row's sound; so a long list does not carry them.
document.addEventListener("toggle", ({ target }) => {
  const row = target.closest?.("[data-row][data-track]");
  const links = document.getElementById("uses")?.content;
  if (!row || !links || !target.open || "uses" in target.dataset) return;
  target.dataset.uses = "";
  const [, generation, index] = row.dataset.src.match(/\/g\/([^/]+)\/outputs\/(\d+)/);
  const copies = links.cloneNode(true);
  for (const link of copies.querySelectorAll("a")) link.setAttribute("href", `${link.getAttribute("href")}${generation}/${index}`);
  const panel = target.querySelector(".menu__panel");
  panel.insertBefore(copies, panel.querySelector('[hx-boost="false"]'));
  htmx.process(panel);
}, true);
