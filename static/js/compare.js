// Two takes at one playhead: S and [data-switch] go from one to the other at the same moment of the sound. The other is
// kept at hand, so the switch makes no gap. [data-same-loudness] plays the louder as quiet as the other.
(() => {
  const LONGEST = 30 * 2 ** 20; // bytes that are decoded to measure loudness
  const sides = () => [...document.querySelectorAll("[data-together] [data-side]")];
  const other = () => sides().find((side) => player.source(side) !== player.audio()?.src);

  function ready() {
    const both = sides();
    for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;
    const longest = Math.max(...both.map((side) => Number(side.dataset.seconds)));
    for (const side of both) {
      side.querySelector("wave-form")?.style.setProperty("--share", `${100 * Number(side.dataset.seconds) / longest}%`);
    }
    if (both.length) near();
    else player.gains.clear();
  }

  function near() {
    const next = other();
    if (next && player.here().some((track) => track.matches("[data-side]"))) player.prepare(player.read(next));
  }

  function change() {
    const next = other();
    if (!next || !player.audio()) return;
    const sounding = !player.audio().paused || !player.here().some((track) => track.matches("[data-side]"));
    document.dispatchEvent(new CustomEvent("player:list"));
    player.load(player.read(next));
    if (sounding) player.start();
  }

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-switch]")) change();
  });
  document.addEventListener("player:item", () => sides().length && near());

  // The mean power of what is heard of a file, as an amplitude.
  async function loudness(src) {
    const answer = await fetch(src);
    if (!answer.ok || Number(answer.headers.get("Content-Length")) > LONGEST) throw new RangeError(src);
    const sound = await new OfflineAudioContext(1, 1, 22050).decodeAudioData(await answer.arrayBuffer());
    let [sum, count] = [0, 0];
    for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
      for (const sample of sound.getChannelData(channel)) {
        if (Math.abs(sample) < 0.003) continue; // pauses say nothing of how loud the rest is
        sum += sample * sample;
        count += 1;
      }
    }
    return Math.sqrt(sum / Math.max(1, count));
  }

  document.addEventListener("change", async ({ target }) => {
    if (!target.matches("[data-same-loudness]")) return;
    player.gains.clear();
    if (target.checked) {
      target.disabled = true;
      try {
        const both = sides().map(player.source);
        const loud = await Promise.all(both.map(loudness));
        const least = Math.min(...loud.filter(Boolean));
        both.forEach((src, i) => player.gains.set(src, loud[i] ? least / loud[i] : 1));
      } catch {
        target.checked = false;
        player.toast(target.dataset.failed);
      }
      target.disabled = false;
    }
    player.apply();
  });

  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, ready);
})();
