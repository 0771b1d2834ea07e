// <ol data-sortable="address"> of [data-item]: dragging a [data-grip] puts its row before another one and posts that
// as item and before. The buttons for up and down work without this; with it they move the row where it stands, and
// focus stays on the button. A refusal shows the collection as it really is. data-next is what comes after the last row
// of the page, if anything does. A drag that ends with Escape, or where it began, posts nothing.
// Without an address nothing is posted: the [data-place] of each row gets its number, and goes with its form.
(() => {
  let dragged = null;
  let home = null;

  const after = (row) => row.nextElementSibling?.dataset.item ?? row.parentElement.dataset.next ?? "";

  function send(list, row) {
    if (!list.dataset.sortable) {
      list.querySelectorAll("[data-place]").forEach((input, at) => { input.value = at + 1; });
      return;
    }
    const values = { item: row.dataset.item, before: after(row) };
    htmx.ajax("POST", list.dataset.sortable, { values, target: document.body, swap: "innerHTML" });
  }

  document.addEventListener("dragstart", ({ target, dataTransfer }) => {
    const grip = target.closest?.("[data-grip]");
    if (!grip) return;
    dragged = grip.closest("[data-item]");
    home = dragged.nextElementSibling;
    dataTransfer.effectAllowed = "move";
    dataTransfer.setData("text/plain", dragged.dataset.item);
    dataTransfer.setDragImage(dragged, 0, 0);
    dragged.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault(); // wherever it is let go, the row is where it is shown
    const row = event.target.closest?.("[data-sortable] [data-item]");
    if (!row || row === dragged || row.parentElement !== dragged.parentElement) return;
    const { top, height } = row.getBoundingClientRect();
    row[event.clientY < top + height / 2 ? "before" : "after"](dragged);
  });
  document.addEventListener("drop", (event) => dragged && event.preventDefault());
  document.addEventListener("dragend", ({ dataTransfer }) => {
    if (!dragged) return;
    const row = dragged;
    dragged = null;
    row.classList.remove("is-dragged");
    if (dataTransfer.dropEffect === "none") row.parentElement.insertBefore(row, home);
    if (row.nextElementSibling !== home) send(row.parentElement, row);
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-sortable] [data-way]");
    const row = button?.closest("[data-item]");
    const other = button?.dataset.way === "up" ? row?.previousElementSibling : row?.nextElementSibling;
    if (!other) return; // the neighbour is on another page: the form itself knows what to do
    event.preventDefault();
    other[button.dataset.way === "up" ? "before" : "after"](row);
    button.focus();
    send(row.parentElement, row);
    document.dispatchEvent(new CustomEvent("toast", { detail: { value: row.parentElement.dataset.moved } }));
  });
})();
