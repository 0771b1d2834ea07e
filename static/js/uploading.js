// [data-upload="address"] on a file input in [data-file-field]: what is chosen is sent at once with a meter, so that a
// large file is there before the form is sent. The answer 201 is the line of the form that holds the file; anything
// else is a sentence. A form that is sent meanwhile waits for its files, and stays where one of them failed.
(() => {
  const waiting = new Map();
  const rows = (form) => [...form.querySelectorAll("[data-uploading]")];

  function say(row, name, words) {
    row.querySelector("[data-uploading-says]").textContent =
      words ?? row.querySelector(`[data-say-${name}]`).textContent;
  }

  function fail(row, name, words) {
    row.dataset.uploading = "failed";
    row.classList.add("uploading--failed");
    row.querySelector("[data-uploading-again]").hidden = name !== "cut";
    row.querySelector("[data-uploading-share]").textContent = "";
    say(row, name, words);
    settle(row.closest("form"));
  }

  function settle(form) {
    const go = waiting.get(form);
    if (!go || rows(form).some((row) => row.dataset.uploading !== "failed")) return;
    waiting.delete(form);
    if (!rows(form).length) go();
  }

  function send(row, file, input) {
    row.dataset.uploading = "";
    row.classList.remove("uploading--failed");
    row.querySelector("[data-uploading-again]").hidden = true;
    say(row, "", "");
    const form = row.closest("form");
    const body = new FormData();
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.append("file", file, file.name);
    const request = new XMLHttpRequest();
    row.addEventListener("uploading:drop", () => request.abort());
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      const share = Math.floor(100 * loaded / total);
      row.querySelector("rect").setAttribute("width", `${share}%`);
      row.querySelector("[data-uploading-share]").textContent = `${share} %`;
    });
    request.upload.addEventListener("load", () => waiting.has(form) || say(row, "checks"));
    request.addEventListener("error", () => fail(row, "cut"));
    request.addEventListener("timeout", () => fail(row, "cut"));
    request.addEventListener("load", () => {
      const plain = request.getResponseHeader("Content-Type")?.startsWith("text/plain");
      if (request.status === 201) arrive(row, request.responseText, input);
      else if (plain && request.status !== 400) fail(row, "refused", request.responseText);
      else fail(row, "cut");
    });
    request.open("POST", input.dataset.upload);
    request.send(body);
  }

  function arrive(row, html, input) {
    const form = row.closest("form");
    const others = row.parentElement.querySelectorAll("[data-chosen]");
    if (!input.multiple) for (const other of others) other.remove();
    row.insertAdjacentHTML("afterend", html);
    const held = row.nextElementSibling.querySelector("input");
    row.remove();
    held.dispatchEvent(new Event("change", { bubbles: true }));
    settle(form);
  }

  function begin(input, file) {
    const field = input.closest("[data-file-field]");
    const list = field.querySelector("[data-files]");
    if (!input.multiple) for (const old of list.querySelectorAll("[data-uploading]")) drop(old);
    const full = input.multiple && list.childElementCount >= Number(input.dataset.most ?? 100);
    const row = field.querySelector("[data-uploading-row]").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-uploading-name]").textContent = file.name;
    row.querySelector("[data-uploading-again]").addEventListener("click", () => send(row, file, input));
    list.append(row);
    if (!file.size) fail(row, "empty");
    else if (file.size > Number(input.dataset.largest)) fail(row, "large");
    else if (full) fail(row, "many");
    else send(row, file, input);
  }

  function drop(row) {
    const form = row.closest("form");
    row.dispatchEvent(new Event("uploading:drop"));
    row.remove();
    settle(form);
  }

  // In the capture phase: the input is empty again before anybody else looks at it.
  document.addEventListener("change", ({ target }) => {
    if (!target.matches?.("[data-upload]") || !target.files.length) return;
    const files = [...target.files];
    target.value = "";
    for (const file of files) begin(target, file);
  }, true);

  document.addEventListener("click", ({ target }) => {
    const uploading = target.closest("[data-uploading-drop]")?.closest("[data-uploading]");
    if (uploading) drop(uploading);
    const chosen = target.closest("[data-remove]")?.closest("[data-chosen]");
    if (!chosen) return;
    const input = chosen.closest("[data-file-field]").querySelector("[type=file]");
    chosen.remove();
    input.dispatchEvent(new Event("change", { bubbles: true }));
    input.focus();
  });

  document.addEventListener("htmx:confirm", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !rows(form).length) return;
    event.preventDefault();
    const failed = rows(form).find((row) => row.dataset.uploading === "failed");
    if (failed) {
      failed.scrollIntoView({ block: "center" });
      failed.querySelector("button:not([hidden])").focus();
      return;
    }
    for (const row of rows(form)) say(row, "waits");
    waiting.set(form, () => event.detail.issueRequest(true));
  });
})();
