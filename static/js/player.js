// One player for the whole portal; #player and the <audio> in it stay while pages change. A track is an element with
//   data-track data-src data-title data-sub data-href, a [data-play] button and a <wave-form>.
// The list that was on the page when a track began is kept, so next and previous work after it is gone.
// Speed, loop and volume are remembered. Keys: Space, left/right, N, P, L, M.
(() => {
  const bar = () => document.getElementById("player");
  const audio = () => document.getElementById("audio");
  const part = (name) => bar()?.querySelector(`[data-player="${name}"]`);
  const tracks = () => [...document.querySelectorAll("[data-track]")];
  const source = (element) => new URL(element.dataset.src, document.baseURI).href;
  const here = () => tracks().filter((track) => source(track) === audio()?.src);
  const clock = (seconds) => {
    const [whole, two] = [Math.floor(seconds), (number) => String(number).padStart(2, "0")];
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  };

  let queue = [];
  let settings = { volume: 0.8, speed: 1, loop: false };
  try {
    settings = { ...settings, ...JSON.parse(localStorage.getItem("player") ?? "{}") };
  } catch { /* what was kept is unreadable; the defaults do */ }

  function read(element) {
    const face = element.querySelector(".tile") ?? element.closest("article")?.querySelector(".tile");
    return {
      src: source(element),
      title: element.dataset.title,
      sub: element.dataset.sub,
      href: element.dataset.href,
      peaks: element.dataset.peaks ?? element.querySelector("wave-form")?.getAttribute("peaks") ?? "",
      kind: [...face?.classList ?? []].find((name) => /^tile--..+/.test(name)) ?? "tile--music",
      icon: face?.querySelector("use").getAttribute("href"),
    };
  }

  // The order is that of the page; the stage shows a sound of its list again and comes last.
  function listed() {
    const all = tracks().sort((one, other) => one.matches("[data-stage]") - other.matches("[data-stage]"));
    return [...new Map(all.map((track) => [source(track), read(track)])).values()];
  }

  function keep(changes) {
    Object.assign(settings, changes);
    localStorage.setItem("player", JSON.stringify(settings));
    apply();
  }

  function apply() {
    const sound = audio();
    if (!sound) return;
    sound.volume = settings.volume;
    sound.loop = settings.loop;
    sound.defaultPlaybackRate = sound.playbackRate = settings.speed;
    part("volume").value = settings.volume;
    part("speed").value = settings.speed;
    part("loop").setAttribute("aria-pressed", settings.loop);
    part("mute").setAttribute("aria-pressed", sound.muted);
  }

  function load(item) {
    const [player, sound] = [bar(), audio()];
    const from = document.querySelector("[data-keep-position]:checked") ? sound.currentTime : 0;
    sound.src = item.src;
    sound.currentTime = from;
    apply();
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
    for (const other of document.querySelectorAll("[data-track] wave-form")) other.setAttribute("played", 0);
    for (const track of here()) track.dispatchEvent(new CustomEvent("player:load", { bubbles: true }));
    mark();
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = new MediaMetadata({ title: item.title, artist: item.sub });
  }

  // A refusal by the browser leaves the button as it was; a sound that cannot be loaded is told by its error event.
  const start = () => audio().play().catch(mark);

  function play(track) {
    if (!track || !audio()) return;
    if (source(track) === audio().src) return toggle();
    queue = listed();
    load(queue.find((item) => item.src === source(track)));
    start();
  }

  function toggle() {
    if (!audio().src) return play(document.querySelector("[data-track].is-current") ?? tracks()[0]);
    if (audio().paused) start();
    else audio().pause();
  }

  function step(by) {
    if (here().length) queue = listed();
    const next = queue[queue.findIndex((item) => item.src === audio().src) + by];
    if (!next || !audio().src) return;
    load(next);
    start();
  }

  function seek(seconds) {
    const sound = audio();
    const go = () => { sound.currentTime = Math.min(sound.duration || 0, Math.max(0, seconds(sound))); };
    if (sound.readyState) go();
    else sound.addEventListener("loadedmetadata", go, { once: true });
  }

  function show() {
    const [player, sound] = [bar(), audio()];
    if (!sound?.src || !Number.isFinite(sound.duration) || !sound.duration) return;
    const [now, total] = [clock(sound.currentTime), clock(sound.duration)];
    const played = sound.currentTime / sound.duration;
    player.style.setProperty("--played", `${100 * played}%`);
    for (const place of [player, ...here()]) {
      for (const wave of place.querySelectorAll("wave-form")) {
        wave.setAttribute("played", played);
        if (wave.getAttribute("role") !== "slider") continue;
        wave.setAttribute("aria-valuemax", Math.max(1, Math.round(sound.duration)));
        wave.setAttribute("aria-valuenow", Math.round(sound.currentTime));
        wave.setAttribute("aria-valuetext", `${now} / ${total}`);
      }
      place.querySelector("[data-player-now], [data-track-now]")?.replaceChildren(now);
    }
    player.querySelector("[data-player-total]").textContent = total;
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

  // Says it to the browser only when the pace changes: it counts on by itself.
  function tell() {
    const sound = audio();
    if (!("mediaSession" in navigator) || !sound) return;
    navigator.mediaSession.playbackState = sound.paused ? "paused" : "playing";
    if (!Number.isFinite(sound.duration) || sound.currentTime > sound.duration) return;
    const [duration, position] = [sound.duration, sound.currentTime];
    navigator.mediaSession.setPositionState({ duration, position, playbackRate: sound.playbackRate });
  }

  const commands = {
    toggle, prev: () => step(-1), next: () => step(1),
    loop: () => keep({ loop: !settings.loop }),
    mute: () => { audio().muted = !audio().muted; apply(); },
    back: () => seek((sound) => sound.currentTime - 5), forward: () => seek((sound) => sound.currentTime + 5),
  };

  const sounds = {
    timeupdate: [show], loadedmetadata: [show, tell], seeked: [show, tell], ratechange: [tell],
    play: [mark, tell], pause: [mark, tell], ended: [() => step(1)],
    error: [mark, () => document.dispatchEvent(new CustomEvent("toast", { detail: { value: bar().dataset.failed } }))],
  };
  for (const [name, acts] of Object.entries(sounds)) {
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
      queue = listed();
      load(queue.find((item) => item.src === source(track)));
    }
    if (audio().src) seek((sound) => detail * sound.duration);
  });

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !bar()) return;
    if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
    if (target.closest("input, textarea, select, summary, [contenteditable]")) return;
    const row = target.closest("a")?.closest("[data-row][data-track]");
    if (key === " " && !row && target.closest("a, button")) return;
    const name = { " ": "toggle", ArrowLeft: "back", ArrowRight: "forward", n: "next", p: "prev", l: "loop", m: "mute" }[key];
    if (!name || (name !== "toggle" && !audio().src)) return;
    event.preventDefault();
    if (name === "toggle" && row) play(row);
    else commands[name]();
  });

  // A browser without moveBefore stops a sound whose element moves to the new page: it goes on from where it was.
  let before = null;
  document.addEventListener("htmx:beforeSwap", () => {
    before = audio()?.src && !audio().paused ? { src: audio().src, at: audio().currentTime } : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (before && audio()?.src === before.src && audio().paused && !audio().ended) {
      audio().currentTime = before.at;
      start();
    }
    before = null;
  });

  for (const name of ["DOMContentLoaded", "htmx:load"]) {
    document.addEventListener(name, () => {
      if (!bar()) return;
      mark();
      show();
    });
  }
  document.addEventListener("DOMContentLoaded", apply);

  if ("mediaSession" in navigator) {
    const actions = {
      play: toggle, pause: toggle, previoustrack: commands.prev, nexttrack: commands.next,
      seekbackward: commands.back, seekforward: commands.forward,
      seekto: ({ seekTime }) => seek(() => seekTime),
    };
    for (const [name, act] of Object.entries(actions)) navigator.mediaSession.setActionHandler(name, act);
  }
})();
