// [data-dropzone]: a file input that also takes dropped files, and names in [data-dropzone-name] what was chosen.
(() => {
  const zone = (event) => event.target.closest?.("[data-dropzone]");

  document.addEventListener("dragover", (event) => {
    if (!zone(event)) return;
    event.preventDefault();
    zone(event).classList.add("is-over");
  });
  document.addEventListener("dragleave", (event) => zone(event)?.classList.remove("is-over"));
  document.addEventListener("drop", (event) => {
    const over = zone(event);
    if (!over) return;
    event.preventDefault();
    over.classList.remove("is-over");
    const input = over.querySelector("[type=file]");
    const dropped = new DataTransfer();
    for (const file of [...event.dataTransfer.files].slice(0, input.multiple ? undefined : 1)) dropped.items.add(file);
    input.files = dropped.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("change", (event) => {
    const name = event.target.type === "file" && zone(event)?.querySelector("[data-dropzone-name]");
    if (!name) return;
    name.dataset.empty ??= name.textContent;
    const files = [...event.target.files].map((file) => `${file.name}, ${(file.size / 1e6).toFixed(1)} MB`);
    name.textContent = files.join("; ") || name.dataset.empty;
  });
})();
