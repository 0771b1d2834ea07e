// One player for the whole portal; #player and the two <audio> in it stay while pages change. A track is an element with
//   data-track data-src data-title data-sub data-href, a [data-play] button and a <wave-form>. A row of the library tells
//   title, sub and href by its cells.
// The second <audio> has what is likely heard next, so that a switch makes no gap; the two change their ids then.
// Speed, loop and volume are remembered. `player` is for the files beside this one: queue, region, awake, compare.
globalThis.player = (() => {
  const bar = () => document.getElementById("player");
  const audio = () => document.getElementById("audio");
  const spare = () => document.getElementById("audio-spare");
  const part = (name) => bar()?.querySelector(`[data-player="${name}"]`);
  const tracks = () => [...document.querySelectorAll("[data-track]")];
  const source = (element) => new URL(element.dataset.src, document.baseURI).href;
  const here = () => tracks().filter((track) => source(track) === audio()?.src);
  const keeps = () => Boolean(document.querySelector("[data-keep-position]:checked"));
  const clock = (seconds) => {
    const [whole, two] = [Math.floor(seconds), (number) => String(number).padStart(2, "0")];
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };
  const toast = (value) => document.dispatchEvent(new CustomEvent("toast", { detail: { value } }));
  const happen = (name, detail) => document.dispatchEvent(new CustomEvent(`player:${name}`, { detail }));

  let item = null; // what is loaded
  const gains = new Map(); // how much quieter a source is played, 0 to 1
  let settings = { volume: 0.8, speed: 1, loop: false };
  try {
    settings = { ...settings, ...JSON.parse(localStorage.getItem("player") ?? "{}") };
  } catch { /* what was kept is unreadable; the defaults do */ }

  function read(element) {
    const face = element.querySelector(".tile") ?? element.closest("article")?.querySelector(".tile");
    return {
      src: source(element),
      title: element.dataset.title ?? element.querySelector(".rows__title")?.textContent ?? "",
      sub: element.dataset.sub ?? [".cell--model", ".cell__name"].map((part) => element.querySelector(part)?.textContent).join(" · "),
      href: element.dataset.href ?? element.querySelector("a.rows__title")?.getAttribute("href"),
      peaks: element.dataset.peaks ?? element.querySelector("wave-form")?.getAttribute("peaks") ?? "",
      kind: [...face?.classList ?? []].find((name) => /^tile--..+/.test(name)) ?? "tile--music",
      icon: face?.querySelector("use").getAttribute("href"),
    };
  }

  function keep(changes) {
    Object.assign(settings, changes);
    localStorage.setItem("player", JSON.stringify(settings));
    apply();
  }

  function apply() {
    if (!audio()) return;
    for (const sound of [audio(), spare()]) {
      sound.volume = settings.volume * (gains.get(sound.src) ?? 1);
      sound.muted = audio().muted;
      sound.preservesPitch = true;
      sound.defaultPlaybackRate = sound.playbackRate = settings.speed;
      sound.loop = settings.loop;
    }
    part("volume").value = settings.volume;
    part("speed").value = settings.speed;
    part("loop").setAttribute("aria-pressed", settings.loop);
    part("mute").setAttribute("aria-pressed", audio().muted);
    happen("settings");
  }

  // Has it at hand, so that `load` need not wait for it.
  function prepare(next) {
    if (next && next.src !== audio().src && spare().src !== next.src) spare().src = next.src;
  }

  function exchange() {
    const [now, next] = [audio(), spare()];
    const sounding = !now.paused;
    [now.id, next.id] = [next.id, now.id];
    if (!sounding) return;
    const hush = () => {
      if (now.id !== "audio") now.pause();
      next.removeEventListener("timeupdate", begun);
    };
    const begun = () => next.paused || next.seeking || hush();
    next.addEventListener("timeupdate", begun);
    next.addEventListener("playing", hush, { once: true });
    setTimeout(hush, 1000);
  }

  function load(next, from = keeps() ? audio().currentTime : 0) {
    item = next;
    if (spare().src === next.src && spare().readyState) exchange();
    else audio().src = next.src;
    audio().currentTime = from;
    apply();
    dress();
    for (const other of document.querySelectorAll("[data-track] wave-form")) other.setAttribute("played", 0);
    for (const track of here()) track.dispatchEvent(new CustomEvent("player:load", { bubbles: true }));
    happen("item", item);
    mark();
    show();
  }

  function dress() {
    const player = bar();
    player.hidden = false;
    const title = player.querySelector("[data-player-title]");
    title.textContent = item.title;
    title.href = item.href ?? "#";
    player.querySelector("[data-player-sub]").textContent = item.sub;
    const tile = player.querySelector(".tile");
    tile.className = `tile ${item.kind}`;
    if (item.icon) tile.querySelector("use").setAttribute("href", item.icon);
    const wave = player.querySelector("wave-form");
    wave.setAttribute("peaks", item.peaks);
    wave.setAttribute("played", 0);
  }

  // A refusal by the browser leaves the button as it was; a sound that cannot be loaded is told by its error event.
  const start = () => audio().play().catch(mark);

  function play(track) {
    if (!track || !audio()) return;
    if (source(track) === audio().src) return toggle();
    happen("list");
    load(read(track));
    start();
  }

  function toggle() {
    if (!audio().src) return play(document.querySelector("[data-track].is-current") ?? tracks()[0]);
    if (audio().paused) start();
    else audio().pause();
  }

  function seek(seconds) {
    const sound = audio();
    const go = () => { sound.currentTime = Math.min(sound.duration || 0, Math.max(0, seconds(sound))); };
    if (sound.readyState) go();
    else sound.addEventListener("loadedmetadata", go, { once: true });
  }

  // Takes that are compared show one playhead.
  function shown() {
    const current = here();
    const together = current.find((track) => track.closest("[data-together]"))?.closest("[data-together]");
    return [bar(), ...current, ...together ? [...together.querySelectorAll("[data-track]")].filter((one) => !current.includes(one)) : []];
  }

  function show() {
    const [player, sound] = [bar(), audio()];
    if (!sound?.src || !Number.isFinite(sound.duration) || !sound.duration) return;
    const now = clock(sound.currentTime);
    player.style.setProperty("--played", `${100 * sound.currentTime / sound.duration}%`);
    for (const place of shown()) {
      const seconds = place === player || source(place) === sound.src ? sound.duration : Number(place.dataset.seconds) || 1;
      for (const wave of place.querySelectorAll("wave-form")) {
        wave.setAttribute("played", Math.min(1, sound.currentTime / seconds));
        if (wave.getAttribute("role") !== "slider") continue;
        wave.setAttribute("aria-valuemax", Math.max(1, Math.round(seconds)));
        wave.setAttribute("aria-valuenow", Math.round(Math.min(seconds, sound.currentTime)));
        wave.setAttribute("aria-valuetext", `${now} / ${clock(seconds)}`);
      }
      place.querySelector("[data-player-now], [data-track-now]")?.replaceChildren(now);
    }
    player.querySelector("[data-player-total]").textContent = clock(sound.duration);
  }

  function mark() {
    const sound = audio();
    const current = here();
    for (const element of [bar(), ...tracks()]) {
      const mine = current.includes(element);
      element?.classList.toggle("is-sounding", Boolean(sound && !sound.paused && (element === bar() || mine)));
      if (element !== bar()) element.classList.toggle("is-playing", mine);
      element?.querySelector("button.tile[data-play]")?.setAttribute("aria-pressed", mine && !sound.paused);
    }
  }

  const commands = {
    toggle,
    loop: () => keep({ loop: !settings.loop }),
    mute: () => { audio().muted = !audio().muted; apply(); },
    back: () => seek((sound) => sound.currentTime - 5), forward: () => seek((sound) => sound.currentTime + 5),
    far_back: () => seek((sound) => sound.currentTime - 30), far_forward: () => seek((sound) => sound.currentTime + 30),
    louder: () => keep({ volume: Math.min(1, Math.round(20 * settings.volume + 1) / 20) }),
    quieter: () => keep({ volume: Math.max(0, Math.round(20 * settings.volume - 1) / 20) }),
    faster: () => pace(1), slower: () => pace(-1),
  };

  function pace(by) {
    const steps = [...part("speed").options].map((option) => Number(option.value));
    keep({ speed: steps[Math.min(steps.length - 1, Math.max(0, steps.indexOf(settings.speed) + by))] });
  }

  for (const [name, acts] of Object.entries({
    timeupdate: [show], loadedmetadata: [show], seeked: [show], play: [mark], pause: [mark], error: [mark],
  })) {
    document.addEventListener(name, ({ target }) => {
      if (target.id === "audio" && target.getAttribute("src")) for (const act of acts) act();
    }, true);
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-player]");
    if (button?.matches("button")) return commands[button.dataset.player]?.();
    play(target.closest("[data-play]")?.closest("[data-track]"));
  });

  document.addEventListener("input", ({ target }) => {
    if (target.dataset.player === "volume") keep({ volume: Number(target.value) });
    if (target.dataset.player === "speed") keep({ speed: Number(target.value) });
  });

  document.addEventListener("wave:seek", ({ target, detail }) => {
    const track = target.closest("[data-track]");
    if (track && source(track) !== audio().src) {
      happen("list");
      const sounding = !audio().paused;
      load(read(track));
      if (sounding) start();
    }
    if (audio().src) seek((sound) => detail * sound.duration);
  });

  for (const name of ["DOMContentLoaded", "htmx:load"]) {
    document.addEventListener(name, () => {
      if (!bar()) return;
      mark();
      show();
    });
  }
  document.addEventListener("DOMContentLoaded", apply);

  return { bar, audio, spare, tracks, source, here, keeps, clock, toast, read, gains, settings, keep, apply, prepare, load, start, play, seek, mark, commands, item: () => item };
})();
