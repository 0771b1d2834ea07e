// <button data-dialog="id"> opens <dialog id>, [data-close] or a click beside it closes; #id in the address opens too.
// A <dialog data-open> that htmx brings in opens at once.
(() => {
  const open = (id) => {
    const dialog = id && document.getElementById(id);
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
  };

  document.addEventListener("click", ({ target }) => {
    const opener = target.closest("[data-dialog]");
    if (opener) open(opener.dataset.dialog);
    else if (target.closest("[data-close]") || target.matches("dialog")) target.closest("dialog").close();
  });

  document.addEventListener("DOMContentLoaded", () => open(location.hash.slice(1)));
  document.addEventListener("htmx:load", ({ target }) => {
    if (target.matches("dialog[data-open]") && !target.open) target.showModal();
  });
})();
