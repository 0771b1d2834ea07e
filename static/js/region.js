// A part of a sound that repeats: A and B set its ends, or a drag over a <wave-form data-region>; L ends it.
(() => {
  let region = null; // { src, from, to } in seconds; `to` is null until it is set

  const seconds = (wave) => Number(wave.closest("[data-track]")?.dataset.seconds) || player.audio().duration;

  function draw() {
    const { audio, bar, tracks, source, here } = player;
    if (!bar()) return;
    const together = here().some((track) => track.closest("[data-together]"));
    for (const place of [bar(), ...tracks()]) {
      const mine = place === bar() || source(place) === audio().src || (together && place.closest("[data-together]"));
      for (const wave of place.querySelectorAll("wave-form")) {
        const total = place === bar() || source(place) === audio().src ? audio().duration : seconds(wave);
        if (region && mine && total) {
          wave.setAttribute("from", Math.min(1, region.from / total));
          wave.setAttribute("to", Math.min(1, (region.to ?? region.from) / total));
        } else {
          wave.removeAttribute("from");
          wave.removeAttribute("to");
        }
      }
    }
    const pressed = Boolean(region?.to) || player.settings.loop;
    bar().querySelector('[data-player="loop"]').setAttribute("aria-pressed", pressed);
  }

  function say() {
    const { bar, clock, toast } = player;
    const words = region?.to ? bar().dataset.looped : bar().dataset.loopFrom;
    const exact = (time) => `${clock(time)}.${Math.floor(10 * time) % 10}`;
    toast(words.replace("%a", exact(region.from)).replace("%b", exact(region.to ?? 0)));
  }

  const whole = player.commands.loop;
  Object.assign(player.commands, {
    loop: () => {
      if (!region) return whole();
      region = null;
      player.toast(player.bar().dataset.loopOver);
      draw();
    },
    from: () => {
      const { src, currentTime } = player.audio();
      region = { src, from: currentTime, to: region?.to > currentTime ? region.to : null };
      say();
      draw();
    },
    to: () => {
      const { src, currentTime } = player.audio();
      const from = region?.from < currentTime ? region.from : 0;
      if (currentTime - from < 0.1) return;
      region = { src, from, to: currentTime };
      say();
      draw();
      repeat();
    },
  });

  // Where somebody went beyond the end by themselves, they stay there.
  function repeat() {
    const sound = player.audio();
    if (!region?.to || sound.src !== region.src || sound.seeking) return;
    if (sound.currentTime >= region.to && sound.currentTime < region.to + 1) sound.currentTime = region.from;
  }

  // Four times a second is too coarse for a loop; the frames of the page are not, while they are drawn.
  let frame = 0;
  function watch() {
    cancelAnimationFrame(frame);
    if (!region?.to || player.audio().paused) return;
    repeat();
    frame = requestAnimationFrame(watch);
  }

  // Where the part reaches to the very end, the sound ends first.
  player.repeats = () => {
    if (!region?.to || region.src !== player.audio().src) return false;
    player.audio().currentTime = region.from;
    player.start();
    return true;
  };

  for (const [name, act] of Object.entries({ timeupdate: () => { repeat(); watch(); }, play: watch, loadedmetadata: draw })) {
    document.addEventListener(name, ({ target }) => {
      if (target.id === "audio" && target.getAttribute("src")) act();
    }, true);
  }

  document.addEventListener("wave:region", ({ target, detail: { from, to, done } }) => {
    const track = target.closest("[data-track]");
    if (track && player.source(track) !== player.audio().src) {
      document.dispatchEvent(new CustomEvent("player:list"));
      player.load(player.read(track));
    }
    const set = () => {
      const total = player.audio().duration;
      region = { src: player.audio().src, from: from * total, to: to * total };
      draw();
      if (!done) return;
      player.audio().currentTime = region.from;
      player.start();
      say();
    };
    if (player.audio().readyState) set();
    else if (done) player.audio().addEventListener("loadedmetadata", set, { once: true });
  });

  // Takes that are compared keep it; any other sound begins without one.
  document.addEventListener("player:item", ({ detail }) => {
    if (!region || region.src === detail.src) return;
    region = player.keeps() ? { ...region, src: detail.src } : null;
    draw();
  });
  document.addEventListener("player:settings", draw);
  document.addEventListener("htmx:load", draw);
})();
