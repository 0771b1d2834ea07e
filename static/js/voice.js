// The dialog of all voices fills the short menu: <select data-voice-select>, its words in [data-voice-note].
// In the dialog: radios named voice-choice, a box [data-voice-typed] for an id from elsewhere, a button [data-voice-use].
// A row [data-play-now] that was waited for is played as soon as it is there.
(() => {
  const menu = () => document.querySelector("[data-voice-select]");

  function describe(select) {
    const note = select.closest("[data-voice]").querySelector("[data-voice-note]");
    note.textContent = select.selectedOptions[0]?.dataset.note ?? "";
  }

  function choose(value, name, note) {
    const select = menu();
    let option = [...select.options].find((one) => one.value === value);
    if (!option) {
      option = new Option(name, value);
      option.dataset.note = note;
      select.prepend(option);
    }
    option.selected = true;
    select.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", ({ target }) => {
    if (target.matches("[data-voice-select]")) describe(target);
    const dialog = target.closest("[data-voice-dialog]");
    if (target.name === "voice-choice") dialog.querySelector("[data-voice-typed]").value = "";
    if (!target.matches("[data-voice-typed]")) return;
    for (const radio of dialog.querySelectorAll("[name=voice-choice]:checked")) radio.checked = false;
  });

  document.addEventListener("click", ({ target }) => {
    const dialog = target.closest("[data-voice-use]")?.closest("dialog");
    if (!dialog) return;
    const typed = dialog.querySelector("[data-voice-typed]");
    const radio = dialog.querySelector("[name=voice-choice]:checked");
    if (typed.value.trim()) choose(typed.value.trim(), typed.value.trim(), typed.dataset.note);
    else if (radio) choose(radio.value, radio.dataset.name, radio.dataset.note);
  });

  document.addEventListener("htmx:load", ({ target }) => {
    if (target.matches?.("[data-play-now]")) target.querySelector("[data-play]")?.click();
    const dialog = target.matches?.("[data-filter-item]") ? null : target.closest?.("[data-voice-dialog]");
    const radio = [...dialog?.querySelectorAll("[name=voice-choice]") ?? []].find((one) => one.value === menu().value);
    if (!radio) return;
    radio.checked = true;
    radio.scrollIntoView({ block: "center" });
  });
})();
