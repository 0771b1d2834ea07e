// What comes next: the list that was on the page when a track began, kept after the page is gone. At its end the next
// page of the library is fetched, whose address the list names by [data-more]. #player-queue shows it, with a jump.
(() => {
  const AHEAD = 2;
  let queue = [];
  let more = ""; // where the list goes on
  let fetching = null;

  const at = () => queue.findIndex((item) => item.src === player.audio()?.src);
  const beyond = (page, address) => {
    const link = page.querySelector("[data-more]")?.getAttribute("href");
    return link ? new URL(link, address).href : "";
  };

  // The order is that of the page; the stage shows a sound of its list again and comes last.
  function listed(page) {
    const all = [...page.querySelectorAll("[data-track]")].sort((one, other) => one.matches("[data-stage]") - other.matches("[data-stage]"));
    return [...new Map(all.map((track) => [player.source(track), player.read(track)])).values()];
  }

  // A list that is already part of the queue does not shorten it.
  function list() {
    const found = listed(document);
    if (found.length && found.every((item) => queue.some((known) => known.src === item.src))) return;
    [queue, more] = [found, beyond(document, location.href)];
  }

  function extend() {
    if (!more) return fetching ?? Promise.resolve();
    const address = more;
    more = "";
    fetching = fetch(address, { headers: { Accept: "text/html" } }).then(async (answer) => {
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      queue.push(...listed(page).filter((item) => !queue.some((known) => known.src === item.src)));
      more = beyond(page, address);
    }).catch(() => { more = address; }).finally(() => { fetching = null; tell(); draw(); });
    draw();
    return fetching;
  }

  async function step(by) {
    if (!player.audio().src) return;
    if (player.here().length) list();
    if (by > 0 && at() === queue.length - 1) await extend();
    const next = queue[at() + by];
    if (!next) return;
    player.load(next);
    player.start();
  }

  Object.assign(player.commands, {
    prev: () => (player.audio().currentTime > 5 && at() === 0 ? player.seek(() => 0) : step(-1)),
    next: () => step(1),
    queue: () => document.getElementById("player-queue").togglePopover(),
  });

  function draw() {
    const panel = document.getElementById("player-queue");
    if (!panel?.matches(":popover-open")) return;
    const line = panel.querySelector("template").content.firstElementChild;
    const current = at();
    const held = panel.contains(document.activeElement) && document.activeElement.dataset.jump;
    panel.querySelector("ol").replaceChildren(...queue.map((item, place) => {
      const row = line.cloneNode(true);
      const button = row.querySelector("button");
      button.dataset.jump = place;
      if (place === current) button.setAttribute("aria-current", "true");
      row.querySelector("[data-queue-title]").textContent = item.title;
      row.querySelector("[data-queue-sub]").textContent = item.sub;
      const tile = row.querySelector(".tile");
      tile.className = `tile tile--s ${item.kind}`;
      if (item.icon) tile.querySelector("use").setAttribute("href", item.icon);
      return row;
    }));
    panel.querySelector("[data-queue-wait]").hidden = !fetching;
    panel.querySelector("[data-queue-more]").hidden = !more || Boolean(fetching);
    panel.querySelector("[data-queue-end]").hidden = Boolean(more || fetching);
    if (held) panel.querySelector(`[data-jump="${held}"]`)?.focus();
  }

  document.addEventListener("toggle", ({ target, newState }) => {
    if (target.id !== "player-queue" || newState !== "open") return;
    if (player.here().length || !queue.length) list();
    draw();
    const current = target.querySelector("[aria-current]");
    current?.scrollIntoView({ block: "center" });
    (current ?? target.querySelector("button")).focus({ preventScroll: true });
  }, true);

  document.addEventListener("click", ({ target }) => {
    if (target.closest("[data-queue-more]")) extend();
    const jump = target.closest("[data-jump]");
    if (!jump) return;
    const item = queue[Number(jump.dataset.jump)];
    if (item.src === player.audio().src) return player.commands.toggle();
    player.load(item);
    player.start();
  });

  document.addEventListener("player:list", list);
  document.addEventListener("player:item", () => {
    if (at() >= queue.length - AHEAD) extend();
    tell();
    draw();
  });

  for (const [name, act] of Object.entries({
    ended: () => player.repeats() || step(1),
    timeupdate: ({ duration, currentTime, loop }) => {
      if (!loop && duration - currentTime < 15 && !document.querySelector("[data-together]")) player.prepare(queue[at() + 1]);
    },
    loadedmetadata: () => tell(), seeked: () => tell(), ratechange: () => tell(), play: () => tell(), pause: () => tell(),
  })) {
    document.addEventListener(name, ({ target }) => {
      if (target.id === "audio" && target.getAttribute("src")) act(target);
    }, true);
  }

  // The keys of the machine, the headphones and the locked screen.
  function tell() {
    const [sound, item] = [player.audio(), player.item()];
    if (!("mediaSession" in navigator) || !sound || !item) return;
    const session = navigator.mediaSession;
    if (session.metadata?.title !== item.title) session.metadata = new MediaMetadata({ title: item.title, artist: item.sub });
    session.playbackState = sound.paused ? "paused" : "playing";
    const { commands, seek } = player;
    const first = at() <= 0;
    const last = at() === queue.length - 1 && !more;
    const actions = {
      play: commands.toggle, pause: commands.toggle, stop: () => sound.pause(),
      previoustrack: first ? null : commands.prev, nexttrack: last ? null : commands.next,
      seekbackward: ({ seekOffset }) => seek(({ currentTime }) => currentTime - (seekOffset ?? 5)),
      seekforward: ({ seekOffset }) => seek(({ currentTime }) => currentTime + (seekOffset ?? 5)),
      seekto: ({ seekTime }) => seek(() => seekTime),
    };
    for (const [name, act] of Object.entries(actions)) session.setActionHandler(name, act);
    if (!Number.isFinite(sound.duration) || sound.currentTime > sound.duration) return session.setPositionState();
    session.setPositionState({ duration: sound.duration, position: sound.currentTime, playbackRate: sound.playbackRate });
  }

  player.queue = {
    now: () => ({ queue, more }),
    put: (kept) => { [queue, more] = [kept.queue, kept.more]; },
  };
})();
