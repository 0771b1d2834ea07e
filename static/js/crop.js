// Cropping in <dialog id="crop">. A [data-crop="address"] button opens it for a picture that was chosen; a picture for a
// file input with data-sizes="1280x720 720x1280" is asked about before it is sent, unless it has one of these sizes.
(() => {
  const SHAPES = ["1:1", "4:3", "3:4", "16:9", "9:16"];
  const box = () => document.getElementById("crop");
  const part = (name) => box().querySelector(`[data-crop-${name}]`);
  let now = null;

  function frame() {
    const { picture, shape } = now;
    const most = Math.min(picture.width, picture.height * shape);
    const width = most * part("share").value / 100;
    return { width, height: width / shape };
  }

  function within() {
    const { width, height } = frame();
    now.x = Math.max(width / 2, Math.min(now.picture.width - width / 2, now.x));
    now.y = Math.max(height / 2, Math.min(now.picture.height - height / 2, now.y));
    return { left: now.x - width / 2, top: now.y - height / 2, width, height };
  }

  function draw() {
    const view = part("view");
    const { picture } = now;
    const scale = Math.min(1, 900 / picture.width, 520 / picture.height);
    [view.width, view.height] = [picture.width * scale, picture.height * scale];
    const pen = view.getContext("2d");
    const { left, top, width, height } = within();
    pen.drawImage(picture, 0, 0, view.width, view.height);
    pen.fillStyle = "rgb(0 0 0 / 60%)";
    pen.beginPath();
    pen.rect(0, 0, view.width, view.height);
    pen.rect(left * scale, top * scale, width * scale, height * scale);
    pen.fill("evenodd");
    pen.strokeStyle = "white";
    pen.lineWidth = 2;
    pen.strokeRect(left * scale, top * scale, width * scale, height * scale);
    now.scale = scale;
    const [wide, high] = now.size ?? [Math.round(width), Math.round(height)];
    part("says").textContent = `${wide} × ${high}`;
  }

  function choose(name) {
    const [wide, high] = name.split(/[x:]/).map(Number);
    now.shape = wide / high;
    now.size = name.includes("x") ? [wide, high] : null;
    for (const chip of part("shapes").children) chip.setAttribute("aria-pressed", chip.dataset.shape === name);
    draw();
  }

  async function open(input, blob, name) {
    const picture = await createImageBitmap(blob);
    const names = input.dataset.sizes?.split(" ") ?? SHAPES;
    now = { input, name, picture, x: picture.width / 2, y: picture.height / 2 };
    part("share").value = 100;
    part("shapes").replaceChildren(...names.map((shape) => {
      const chip = document.createElement("button");
      Object.assign(chip, { type: "button", className: "chip", textContent: shape.replace("x", " × ") });
      chip.dataset.shape = shape;
      return chip;
    }));
    const ratio = picture.width / picture.height;
    const far = (shape) => {
      const [wide, high] = shape.split(/[x:]/).map(Number);
      return Math.abs(Math.log(wide / high / ratio));
    };
    choose([...names].sort((one, other) => far(one) - far(other))[0]);
    box().showModal();
  }

  function done() {
    const { input, name, picture, size } = now;
    const { left, top, width, height } = within();
    const [wide, high] = size ?? [Math.round(width), Math.round(height)];
    const out = document.createElement("canvas");
    [out.width, out.height] = [wide, high];
    out.getContext("2d").drawImage(picture, left, top, width, height, 0, 0, wide, high);
    const png = input.accept && !/jpe?g|image\/\*/.test(input.accept);
    out.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], name.replace(/\.[^.]*$/, png ? ".png" : ".jpg"), { type: blob.type }));
      now.old?.remove();
      input.dataset.cropped = "yes";
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      box().close();
    }, png ? "image/png" : "image/jpeg", 0.95);
  }

  // Before uploading.js hears of the file: these scripts listen in the order in which they are loaded.
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches?.("[type=file][data-sizes]") || input.files.length !== 1 || !box()) return;
    if (input.dataset.cropped) {
      delete input.dataset.cropped;
      return;
    }
    const [file] = input.files;
    event.stopImmediatePropagation();
    const pass = () => {
      input.dataset.cropped = "yes";
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    createImageBitmap(file).then(({ width, height }) => {
      if (input.dataset.sizes.split(" ").includes(`${width}x${height}`)) pass();
      else open(input, file, file.name);
    }, pass);
  }, true);

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-crop]");
    if (button) {
      const blob = await (await fetch(button.dataset.crop)).blob();
      await open(button.closest("[data-file-field]").querySelector("[type=file]"), blob, button.dataset.name);
      now.old = button.closest("[data-chosen]");
    } else if (target.closest("#crop [data-shape]")) choose(target.closest("[data-shape]").dataset.shape);
    else if (target.closest("[data-crop-done]")) done();
  });
  document.addEventListener("input", ({ target }) => target.matches("[data-crop-share]") && draw());
  document.addEventListener("pointermove", ({ target, buttons, movementX, movementY }) => {
    if (!buttons || !target.matches?.("[data-crop-view]")) return;
    const zoom = target.clientWidth / target.width || 1;
    now.x += movementX / now.scale / zoom;
    now.y += movementY / now.scale / zoom;
    draw();
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step || !event.target.matches?.("[data-crop-view]")) return;
    event.preventDefault();
    event.stopPropagation();
    now.x += step[0] * now.picture.width / 50;
    now.y += step[1] * now.picture.height / 50;
    draw();
  }, true);
})();
