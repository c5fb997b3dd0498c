"use strict";
// Charts and the light that says whether the page is live. Everything works without this file, save the charts.
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }

function draw(box) {
  if (typeof uPlot === "undefined" || box.clientWidth === 0) return;
  const times = JSON.parse(box.dataset.times), values = JSON.parse(box.dataset.values);
  const marks = JSON.parse(box.dataset.marks || "[]"), small = box.classList.contains("small");
  const percent = box.dataset.unit === "percent", quiet = colour("--quiet"), bar = colour("--bar"), line = colour("--line");
  const bars = box.dataset.kind === "bars";
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const say = (v) => v === null || v === undefined ? "–" : percent ? (100 * v).toFixed(1) + " %" : String(v);
  box.replaceChildren();
  new uPlot({
    width: box.clientWidth, height: box.clientHeight, legend: { show: false }, cursor: { show: !small, y: false, drag: { x: false, y: false } },
    scales: { y: { range: (u, low, high) => [0, Math.max(high || 0, percent ? 0.05 : 4)] } },
    axes: [{ ...axis, show: !small }, { ...axis, show: !small, size: 50, values: (u, all) => all.map(say) }],
    series: [{}, { label: box.dataset.label, stroke: bar, width: bars ? 0 : 2, fill: bars ? bar : undefined, points: { show: !bars, size: 6, fill: bar },
                   paths: bars ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined, value: (u, v) => say(v) }],
    hooks: { draw: [(u) => {
      u.ctx.save(); u.ctx.strokeStyle = colour("--link"); u.ctx.setLineDash([4, 3]);
      for (const mark of marks) {
        const x = Math.round(u.valToPos(mark, "x", true));
        if (x >= u.bbox.left && x <= u.bbox.left + u.bbox.width) { u.ctx.beginPath(); u.ctx.moveTo(x, u.bbox.top); u.ctx.lineTo(x, u.bbox.top + u.bbox.height); u.ctx.stroke(); }
      }
      u.ctx.restore();
    }], setCursor: small ? [] : [(u) => {
      const at = u.cursor.idx;
      box.title = at === null || at === undefined ? "" : new Date(times[at] * 1000).toLocaleString() + ": " + say(values[at]) + " " + box.dataset.label;
    }] },
  }, [times, values], box);
}

function drawAll(root) { for (const box of root.querySelectorAll(".chart")) draw(box); }

function live(state, word) {
  const light = document.querySelector(".live");
  if (light) { light.classList.remove("on", "off"); light.classList.add(state); light.querySelector(".live-word").textContent = word; }
}

function copyable(root) {
  for (const pre of root.querySelectorAll("pre.copy")) {
    if (pre.previousElementSibling?.classList.contains("copier") || !navigator.clipboard) continue;
    const button = document.createElement("button");
    button.type = "button"; button.className = "plain copier"; button.textContent = "Copy";
    button.addEventListener("click", () => navigator.clipboard.writeText(pre.textContent).then(() => { button.textContent = "Copied"; }));
    pre.before(button);
  }
}

drawAll(document); copyable(document);
document.body.addEventListener("htmx:afterSwap", (event) => drawAll(event.target));
document.body.addEventListener("htmx:sseOpen", () => live("on", "live"));
document.body.addEventListener("htmx:sseError", () => live("off", "not live"));
let later; window.addEventListener("resize", () => { clearTimeout(later); later = setTimeout(() => drawAll(document), 150); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(document));
