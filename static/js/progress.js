// [data-progress]: honest progress from learned times. 80 % at the usual time, 95 % at the slow time, then "unsure"
// and other words: [data-progress-in-time] gives way to [data-progress-late].
//   data-started="epoch ms" data-usual="38" data-slow="70" (seconds)
//   data-live="35" on its meter: what it tells of itself, which the bar then shows
// [data-poll="20"]: asks as often as its hx-trigger says while it holds anything [data-unfinished], else every so many
// seconds, and never in a hidden tab.
(() => {
  const share = (elapsed, usual, slow) =>
    elapsed <= usual ? 80 * elapsed / usual : Math.min(95, 80 + 15 * (elapsed - usual) / Math.max(slow - usual, 0.1));

  const clock = (seconds) =>
    seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

  function show(job) {
    const { started, usual, slow } = job.dataset;
    const elapsed = Math.max(0, (Date.now() - started) / 1000);
    const late = elapsed > slow;
    const meter = job.querySelector(".meter");
    const { live } = meter.dataset;
    meter.querySelector("rect").setAttribute("width", `${live ?? share(elapsed, Number(usual), Number(slow))}%`);
    meter.classList.toggle("meter--unsure", late);
    job.querySelector("[data-progress-time]").textContent = clock(Math.floor(elapsed));
    job.querySelector("[data-progress-in-time]")?.toggleAttribute("hidden", late);
    job.querySelector("[data-progress-late]")?.toggleAttribute("hidden", !late);
  }

  const all = () => document.querySelectorAll("[data-progress][data-started]").forEach(show);
  setInterval(all, 1000);
  for (const name of ["DOMContentLoaded", "htmx:load"]) document.addEventListener(name, all);

  let asked = Date.now();
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { target } = event;
    if (!target.matches("[data-poll]")) return;
    const calm = !target.querySelector("[data-unfinished]") && Date.now() - asked < 1000 * target.dataset.poll;
    if (document.hidden || calm) event.preventDefault();
    else asked = Date.now();
  });
})();
