// Pictures in a form: one that is pasted goes into the field that has the focus, else into the first that takes
// pictures; [data-move] changes the order of those that a field holds.
(() => {
  document.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData?.files ?? []].filter((file) => file.type.startsWith("image/"));
    const near = event.target.closest?.("[data-file-field]")?.querySelector("[data-picture]");
    const input = near ?? document.querySelector("#create [data-picture]");
    if (!pasted.length || !input) return;
    event.preventDefault();
    const files = new DataTransfer();
    for (const file of pasted.slice(0, input.multiple ? undefined : 1)) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-move]");
    const chosen = button?.closest("[data-chosen]");
    if (!chosen) return;
    if (button.dataset.move === "1") chosen.nextElementSibling?.after(chosen);
    else chosen.previousElementSibling?.before(chosen);
    chosen.querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
    button.focus();
  });
})();
