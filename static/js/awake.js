// The player outlives what happens to its page: a swap that stops it, a tab put to sleep or thrown away, a line that
// breaks. What plays is kept for this tab; how far a long sound was heard, for this browser.
(() => {
  const LONG = 600; // seconds from which a sound goes on where it was left
  const EDGE = 15; // so near its beginning or its end it begins anew
  const KEPT = 50;
  const TRIES = 6;
  const STUCK = 8000;

  let playing = false; // whether it sounded when the tab went to sleep
  let tries = 0;
  let broke = 0; // where the sound was when its line broke
  let laid = ""; // what was laid ready after a reload, and nobody has asked for yet
  let again = 0;
  let stuck = 0;

  const person = () => document.body.dataset.person ?? "";
  const listen = (name, act) => document.addEventListener(name, (event) => {
    if (event.target.id === "audio" && event.target.getAttribute("src")) act(event.target);
  }, true);

  const stored = (where, name) => {
    try {
      return JSON.parse(window[where].getItem(name) ?? "null");
    } catch {
      return null; // what was kept is unreadable, or the browser keeps nothing
    }
  };

  function save() {
    const [sound, item] = [player.audio(), player.item()];
    if (!sound || !item) return;
    const { queue, more } = player.queue.now();
    const place = Math.max(0, queue.findIndex(({ src }) => src === item.src) - KEPT);
    const kept = { person: person(), item, at: sound.currentTime, playing: !sound.paused, more, queue: queue.slice(place, place + 4 * KEPT) };
    try {
      sessionStorage.setItem("playing", JSON.stringify(kept));
    } catch { /* no room; it plays all the same */ }
    remember(sound);
  }

  function remember({ src, duration, currentTime, ended }) {
    if (!(duration >= LONG)) return;
    const heard = Object.entries(stored("localStorage", "heard") ?? {}).filter(([known]) => known !== src);
    if (!ended && currentTime > EDGE && currentTime < duration - EDGE) heard.push([src, Math.floor(currentTime)]);
    localStorage.setItem("heard", JSON.stringify(Object.fromEntries(heard.slice(-KEPT))));
  }

  document.addEventListener("player:item", ({ detail }) => {
    [tries, again] = [0, clearTimeout(again)];
    const left = (stored("localStorage", "heard") ?? {})[detail.src];
    if (!left || player.audio().currentTime > 1) return;
    player.seek(() => left);
    player.toast(player.bar().dataset.goesOn.replace("%t", player.clock(left)));
  });

  let saved = 0;
  listen("timeupdate", () => {
    if (Date.now() - saved < 3000 || tries) return;
    saved = Date.now();
    save();
  });
  listen("pause", save);
  listen("ended", save);
  addEventListener("pagehide", save);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") save();
  });

  document.addEventListener("DOMContentLoaded", () => {
    if (!player.bar()) return;
    const kept = stored("sessionStorage", "playing");
    if (!kept?.item || kept.person !== person() || player.audio().src) return;
    player.queue.put(kept);
    laid = kept.item.src;
    player.load(kept.item, kept.at);
    if (kept.playing && document.wasDiscarded) player.start();
  });

  // Asleep: a frozen page runs nothing, and some browsers stop its sound.
  document.addEventListener("freeze", () => {
    playing = Boolean(player.audio() && !player.audio().paused);
    save();
  });
  const wake = () => {
    if (playing && player.audio()?.paused && !player.audio().ended) player.start();
    playing = false;
  };
  document.addEventListener("resume", wake);
  addEventListener("pageshow", ({ persisted }) => persisted && wake());

  // A line that breaks: from the same place again, later and later, and at once when the machine is back on its net.
  function revive() {
    clearTimeout(again);
    const sound = player.audio();
    if (!tries) broke = sound.currentTime;
    tries += 1;
    sound.load();
    sound.currentTime = broke; // where it begins as soon as it is there
    player.start();
  }

  // Gone meanwhile: nobody asked for it on this page, so nobody is told.
  function away(sound) {
    try {
      sessionStorage.removeItem("playing");
    } catch { /* nothing was kept */ }
    sound.removeAttribute("src");
    player.bar().hidden = true;
  }

  listen("error", (sound) => {
    if (laid === sound.src) return away(sound);
    const broken = sound.error?.code === MediaError.MEDIA_ERR_NETWORK || sound.currentTime > 0 || tries > 0;
    if (broken && tries < TRIES) again = setTimeout(revive, 1000 * 2 ** tries);
    else player.toast(player.bar().dataset.failed);
  });
  listen("playing", () => clearTimeout(stuck));
  listen("play", () => { laid = ""; });
  listen("timeupdate", ({ paused, readyState }) => {
    clearTimeout(stuck);
    if (!paused && readyState > 2) tries = 0;
  });
  listen("waiting", (sound) => {
    clearTimeout(stuck);
    stuck = setTimeout(() => {
      if (!sound.paused && sound.readyState < 3 && sound.networkState !== 3 && tries < TRIES) revive();
    }, STUCK);
  });
  addEventListener("online", () => {
    if (player.audio()?.error) revive();
  });

  // A browser without moveBefore stops a sound whose element moves to the new page: it goes on from where it was.
  let before = null;
  document.addEventListener("htmx:beforeSwap", () => {
    const sound = player.audio();
    before = sound?.src && !sound.paused ? { src: sound.src, at: sound.currentTime } : null;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const sound = player.audio();
    if (before && sound?.src === before.src && sound.paused && !sound.ended) {
      sound.currentTime = before.at;
      player.start();
    }
    before = null;
  });
})();
