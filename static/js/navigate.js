// Pages that htmx swaps in: a page of another layout brings its own body class, an ended session leads to the real
// sign-in page, a broken page is shown as such, and focus goes to the new sheet, so that reading and keys go on there.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  const whole = target === document.body;
  if (new URL(xhr.responseURL, document.baseURI).pathname === document.body.dataset.signIn) {
    event.preventDefault();
    location.assign(whole ? xhr.responseURL : location.href);
  } else if (whole && xhr.responseText) {
    event.detail.shouldSwap = true;
    document.body.className = xhr.responseText.match(/<body class="([^"]*)"/)?.[1] ?? document.body.className;
  }
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.target !== document.body || document.activeElement !== document.body) return;
  document.getElementById("main")?.focus({ preventScroll: true });
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  const text = document.querySelector("[data-offline]")?.dataset.offline;
  if (text && detail.boosted) document.dispatchEvent(new CustomEvent("toast", { detail: { value: text } }));
});
