// One generation: playing a take from the list puts it on the stage, the card with the large waveform.
document.addEventListener("player:load", ({ target }) => {
  const stage = document.querySelector("[data-stage]");
  if (!stage || !target.matches(".takes__item[data-take]")) return;
  const { src, title, take, facts, length, seconds, peaks } = target.dataset;
  const write = (name, text) => stage.querySelector(`[data-stage-${name}]`).replaceChildren(text);
  const clock = (time) => `${Math.floor(time / 60)}:${String(Math.floor(time % 60)).padStart(2, "0")}`;
  Object.assign(stage.dataset, { src, title, seconds });
  write("name", take);
  write("facts", facts);
  write("length", length);
  write("total", clock(seconds));
  stage.querySelector("[data-stage-download]").href = `${src}?download=1`;
  stage.querySelector("wave-form").setAttribute("peaks", peaks);
  const steps = Math.min(6, Math.floor(seconds));
  const times = Array.from({ length: steps ? steps + 1 : 0 }, (_, i) => {
    const time = document.createElement("span");
    time.append(clock(seconds * i / steps));
    return time;
  });
  stage.querySelector("[data-stage-ruler]").replaceChildren(...times);
  for (const item of document.querySelectorAll(".takes__item[data-take]")) {
    item.classList.toggle("is-current", item === target);
  }
});
