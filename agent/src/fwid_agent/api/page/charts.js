// Charts of how alike a device is to itself: a small one for the list, a large one for its page.

import { make } from "./dom.js";
import { day, when } from "./words.js";

const SPARK_UNITS = 30;
const VERSION_COLOURS = 6;
const STRIP_PX = 8;
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const versionColour = (number) => `--version-${(number - 1) % VERSION_COLOURS}`;

const times = (history) => history.map((one) => Date.parse(one.time) / 1000);

function columns(history) {
  return [
    times(history),
    // Of a device that is hardly learnt only the mean is known.
    history.map((one) => one.usual_high ?? one.similarity_baseline),
    history.map((one) => one.usual_low ?? one.similarity_baseline),
    history.map((one) => one.similarity_test),
  ];
}

// Several are drawn at once and all are forgotten when the next view comes.
let drawn = [];

export function forgetCharts() {
  drawn.forEach((chart) => chart.destroy());
  drawn = [];
}

// A chart is drawn when its place is on the page, because only then it is known how wide it is.
function plot(place, options, data) {
  const chart = new uPlot({ width: place.clientWidth, padding: [4, 8, 0, 0], ...options }, data, place);
  drawn.push(chart);
  new ResizeObserver(() => {
    if (place.isConnected && place.clientWidth !== chart.width) {
      chart.setSize({ width: place.clientWidth, height: options.height });
    }
  }).observe(place);
  return chart;
}

function series(points) {
  return [
    {},
    { stroke: colour("--band-line"), width: 1, points: { show: false }, spanGaps: true },
    { stroke: colour("--band-line"), width: 1, points: { show: false }, spanGaps: true },
    { stroke: colour("--mark"), width: 2, spanGaps: true, points: { show: points, size: 7, fill: colour("--card") } },
  ];
}

const bands = () => [{ series: [1, 2], fill: colour("--band") }];
// A little room above 1, so that a line along it is not cut in half.
const SCALE = { range: [0, 1.05] };

// History as one line: whoever cannot see the chart is told the same.
export function describe(history) {
  const known = history.filter((one) => one.similarity_test !== null);
  if (!known.length) return "Nothing to compare yet.";
  const last = known.at(-1);
  const usual = last.usual_low === null ? ""
    : `, usual is ${last.usual_low.toFixed(2)} to ${last.usual_high.toFixed(2)}`;
  return `Similarity to its usual self: ${last.similarity_test.toFixed(2)}${known.length > 1 ? ` at last, of ${known.length} known` : ""}${usual}.`;
}

// One unit beside the other, however far apart they are: what matters is whether it is as always.
export function spark(history) {
  const recent = history.filter((one) => one.similarity_test !== null).slice(-SPARK_UNITS);
  if (recent.length < 2) return { element: null };
  const element = make("div", { className: "spark", role: "img", "aria-label": describe(recent) });
  return {
    element,
    draw: () => plot(element, {
      height: 44,
      padding: [5, 6, 5, 6],
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false }, y: { range: (_, least) => [Math.min(least - 0.05, 0.5), 1.05] } },
      axes: [{ show: false }, { show: false }],
      series: series(recent.length < 8),
      bands: bands(),
    }, [recent.map((_, index) => index), ...columns(recent).slice(1)]),
  };
}

// Where each version begins and ends; the unit after the last is as long as the one before.
export function stretches(history, range) {
  const found = [];
  const at = times(history);
  history.forEach((one, index) => {
    const running = one.state === "changed" ? "new" : one.version;
    const last = found.at(-1);
    if (last?.version === running) last.end = at[index + 1] ?? range[1];
    else found.push({ version: running, begin: at[index], end: at[index + 1] ?? range[1] });
  });
  return found;
}

function paintVersions(history, range) {
  return (chart) => {
    const { ctx, bbox } = chart;
    const x = (time) => Math.min(Math.max(chart.valToPos(time, "x", true), bbox.left), bbox.left + bbox.width);
    ctx.save();
    for (const { version, begin, end } of stretches(history, range)) {
      ctx.fillStyle = colour(version === "new" ? "--changed" : versionColour(version));
      ctx.globalAlpha = 0.13;
      ctx.fillRect(x(begin), bbox.top, x(end) - x(begin), bbox.height);
    }
    ctx.globalAlpha = 1;
    const strip = STRIP_PX * devicePixelRatio;
    const at = times(history);
    history.forEach((one, index) => {
      const begin = x(at[index]);
      ctx.fillStyle = colour(`--${one.state}`);
      ctx.fillRect(begin, bbox.top + bbox.height - strip, Math.max(x(at[index + 1] ?? range[1]) - begin - 1, 1), strip);
    });
    ctx.restore();
  };
}

function paintChanges(changes) {
  return (chart) => {
    const { ctx, bbox } = chart;
    ctx.save();
    ctx.strokeStyle = colour("--changed");
    ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const time of changes) {
      const x = chart.valToPos(time, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
}

function readout(one) {
  const similarity = one.similarity_test === null ? "no similarity" : `similarity ${one.similarity_test.toFixed(2)}`;
  const usual = one.usual_low === null ? "" : ` (usual ${one.usual_low.toFixed(2)} to ${one.usual_high.toFixed(2)})`;
  return `${day(one.time)}: ${one.state}, version ${one.version}, ${similarity}${usual}`
    + (one.reason_texts.length ? `; ${one.reason_texts[0]}` : one.missing ? `; ${one.missing}` : "");
}

export function timeline(history, events) {
  const changes = events.filter((one) => ["version_changed", "returned_to_known_version"].includes(one.type))
    .map((one) => Date.parse(one.time) / 1000);
  const at = times(history);
  const step = at.length > 1 ? (at.at(-1) - at[0]) / (at.length - 1) : 86_400;
  const range = [at[0] - step * 0.1, Math.max(at.at(-1) + step * 0.5, ...changes)];
  const says = make("p", { className: "readout soft", role: "status" }, readout(history.at(-1)));
  const element = make("div", {
    className: "chart", role: "application", tabIndex: 0, "aria-roledescription": "chart",
    "aria-label": `${describe(history)} Arrow keys go from day to day.`,
  });
  const draw = () => {
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    const chart = plot(element, {
      height: 260,
      scales: { x: { range }, y: SCALE },
      legend: { show: false },
      cursor: { y: false, points: { size: 10 }, drag: { x: false, y: false } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map(tickText(range)), space: 70 }, { ...axis, size: 44, values: (_, ticks) => ticks.map((tick) => (tick > 1 ? "" : tick.toFixed(1))) }],
      series: series(true),
      bands: bands(),
      hooks: {
        drawClear: [paintVersions(history, range)],
        draw: [paintChanges(changes)],
        setCursor: [({ cursor }) => { if (cursor.idx !== null) says.textContent = readout(history[cursor.idx]); }],
      },
    }, columns(history));
    let chosen = history.length - 1;
    element.onkeydown = (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -history.length, End: history.length }[event.key];
      if (!move) return;
      event.preventDefault();
      chosen = Math.min(Math.max(chosen + move, 0), history.length - 1);
      const y = chart.valToPos(history[chosen].similarity_test ?? 0, "y");
      chart.setCursor({ left: chart.valToPos(at[chosen], "x"), top: y });
    };
  };
  return { element: make("div", {}, element, says), draw };
}

function tickText([begin, end]) {
  const form = end - begin > 3 * 86_400 ? { day: "numeric", month: "short" } : { hour: "numeric", minute: "2-digit" };
  return (tick) => new Date(tick * 1000).toLocaleString([], form);
}

export const timelineRows = (history) => history.slice().reverse().map((one) => [
  when(one.time), make("span", { className: `state ${one.state}` }, one.state), String(one.version),
  one.similarity_test === null ? "–" : one.similarity_test.toFixed(2),
  one.usual_low === null ? "–" : `${one.usual_low.toFixed(2)}–${one.usual_high.toFixed(2)}`,
  one.g === null ? "–" : one.g.toFixed(2),
  one.reason_texts.length ? one.reason_texts.join("; ") : one.missing ?? "",
]);
