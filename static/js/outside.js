// [data-outside]: a sound on a page for outsiders. Its <wave-form> shows what was heard and seeks in it; one sound plays
// at a time, and at its end the next one begins. Without this the browser's own controls do everything.
(() => {
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds) % 60).padStart(2, "0")}`;
  const sounds = () => [...document.querySelectorAll("[data-outside] audio")];
  const wave = (sound) => sound.closest("[data-outside]").querySelector("wave-form");

  function show(sound) {
    const form = wave(sound);
    if (!form || !Number.isFinite(sound.duration) || !sound.duration) return;
    form.setAttribute("played", sound.currentTime / sound.duration);
    form.setAttribute("aria-valuemax", Math.max(1, Math.round(sound.duration)));
    form.setAttribute("aria-valuenow", Math.round(sound.currentTime));
    form.setAttribute("aria-valuetext", `${clock(sound.currentTime)} / ${clock(sound.duration)}`);
  }

  const acts = {
    timeupdate: show, seeked: show, loadedmetadata: show,
    play: (sound) => { for (const other of sounds()) if (other !== sound) other.pause(); },
    ended: (sound) => { const all = sounds(); all[all.indexOf(sound) + 1]?.play(); },
  };
  for (const [name, act] of Object.entries(acts)) {
    document.addEventListener(name, ({ target }) => { if (target.closest?.("[data-outside]") && target.matches("audio")) act(target); }, true);
  }

  document.addEventListener("wave:seek", ({ target, detail }) => {
    const sound = target.closest("[data-outside]").querySelector("audio");
    const go = () => { sound.currentTime = detail * sound.duration; };
    if (sound.readyState) return go();
    sound.addEventListener("loadedmetadata", go, { once: true });
    sound.preload = "metadata";
    sound.load();
  });
})();
