// The player by keyboard; the help sheet names them all. Space plays the row that has the focus.
document.addEventListener("keydown", (event) => {
  if (!player.bar() || !keysAct(event)) return;
  const { key, shiftKey, target } = event;
  const row = target.closest("a")?.closest("[data-row][data-track]");
  if (key === " " && !row && target.closest("a, button")) return;
  const plain = {
    " ": "toggle", n: "next", p: "prev", l: "loop", m: "mute", q: "queue", a: "from", b: "to",
    "<": "slower", ">": "faster", "+": "louder", "=": "louder", "-": "quieter",
    ArrowLeft: shiftKey ? "far_back" : "back", ArrowRight: shiftKey ? "far_forward" : "forward",
  };
  const name = plain[key];
  if (!name || (name !== "toggle" && !player.audio().src)) return;
  event.preventDefault();
  if (name === "toggle" && row) player.play(row);
  else player.commands[name]();
});
