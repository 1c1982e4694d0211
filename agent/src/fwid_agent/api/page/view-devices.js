// All devices, the ones that somebody should look at first.

import { readDevices, readHistory } from "./agent.js";
import { describe, forgetCharts, spark } from "./charts.js";
import { icon, make } from "./dom.js";
import { likeness, oldHint } from "./identification.js";
import { STATES, VANTAGES, day, learnt, nameOf, stateOf, timeText, versionName } from "./words.js";

const ORDER = ["changed", "suspected", "learning", "stable", "unseen", "quiet", "seen"];
const SEARCH_FROM = 9; // devices: fewer are seen at a glance
let wanted = "all";
let searched = "";

// What the threshold of an alarm was set to, as an owner would say it.
function rateText(rate) {
  const often = rate < 1 ? `once in ${short(1 / rate)} years` : `${short(rate)} times a year`;
  return `Thresholds are set so that a device that has not changed is taken for changed ${often}.`;
}

const short = (value) => String(Number(value.toPrecision(2)));

export async function showDevices(info) {
  const { capture, unit_s } = info;
  const devices = await readDevices();
  const histories = new Map(await Promise.all(devices.map(async ({ device }) =>
    [device, await readHistory(device).catch(() => [])])));
  devices.sort((a, b) => ORDER.indexOf(stateOf(a)) - ORDER.indexOf(stateOf(b))
    || b.packets_sent + b.packets_received - a.packets_sent - a.packets_received);
  const drawings = [];
  const cards = devices.map((device) => {
    const { element, draw } = spark(histories.get(device.device));
    if (draw) drawings.push(draw);
    return card(device, element, unit_s, histories.get(device.device));
  });
  const grid = make("ul", { className: "grid", id: "devices" }, cards);
  const title = devices.length === 1 ? "1 device" : `${devices.length} devices`;
  return {
    content: [
      make("div", { className: "heading" }, make("h1", {}, title), search(devices, grid), chips(devices, grid)),
      oldHint(info),
      devices.length ? grid : nothing(capture),
      devices.length ? make("p", { className: "soft small" }, rateText(info.alarms_per_device_year)) : null,
    ],
    drawn: () => {
      forgetCharts();
      drawings.forEach((draw) => draw());
      sift(devices, grid);
    },
  };
}

function card(device, sparkline, unit_s, history) {
  const state = stateOf(device);
  const [word] = STATES[state];
  return make("li", { "data-device": device.device, "data-state": state },
    make("a", { className: `card ${state}`, href: `#/${device.device}`, id: `card-${device.device}` },
      make("span", { className: "row" },
        make("span", { className: "name" }, nameOf(device)),
        make("span", { className: `pill ${state}` }, icon(state), word)),
      device.name ? make("span", { className: "soft mono" }, device.device) : null,
      facts(device, state),
      sparkline ?? (state === "learning" ? null : make("span", { className: "soft small" }, describe(history)))),
    notes(device, state, unit_s));
}

function facts(device, state) {
  const version = device.version && device.state !== "learning" ? versionName(device, device.version) : null;
  const since = device.since && state !== "learning" && state !== "seen" ? timeText(device.since, day) : null;
  const parts = [
    version && make("span", {}, version),
    since && make("span", {}, state === "stable" ? "since " : `${STATES[state][0].toLowerCase()} since `, since),
    device.randomised ? make("span", {}, "private address") : null,
    device.identified && (!device.name || device.identified.agrees === false)
      ? make("span", {}, `behaves ${likeness(device.identified)}`) : null,
    device.muted ? make("span", { className: "muted" }, icon("muted"), "muted") : null,
  ].filter(Boolean);
  return parts.length ? make("span", { className: "soft facts" }, parts) : null;
}

function notes(device, state, unit_s) {
  const parts = [];
  if (device.reason_texts.length && (state === "changed" || state === "suspected")) {
    parts.push(make("p", {}, device.reason_texts[0]));
  }
  if (state === "learning") parts.push(learning(device, unit_s));
  if (device.vantage in VANTAGES) {
    parts.push(make("p", { className: "warn" }, icon("unseen"), VANTAGES[device.vantage][0]));
  }
  return parts.length ? make("div", { className: "notes" }, parts) : null;
}

export function learning(device, unit_s) {
  const text = learnt(device, unit_s);
  return make("div", { className: "learning" },
    make("progress", { max: device.learning_units, value: device.learned_units, "aria-label": text }),
    make("span", { className: "soft small" }, text));
}

// --- which are shown -------------------------------------------------------------------------------

function chips(devices, grid) {
  const found = ORDER.filter((state) => devices.some((device) => stateOf(device) === state));
  if (found.length < 2) return null;
  const chip = (state, word, number) => make("button", {
    type: "button", className: `chip ${state}`, id: `chip-${state}`, "aria-pressed": String(wanted === state),
    onclick: (event) => {
      wanted = state;
      for (const one of event.target.parentElement.children) one.setAttribute("aria-pressed", one === event.target);
      sift(devices, grid);
    },
  }, `${word} ${number}`);
  if (!["all", ...found].includes(wanted)) wanted = "all";
  return make("div", { className: "chips", role: "group", "aria-label": "Show" },
    chip("all", "All", devices.length),
    found.map((state) => chip(state, STATES[state][0], devices.filter((one) => stateOf(one) === state).length)));
}

function search(devices, grid) {
  if (devices.length < SEARCH_FROM) return null;
  return make("input", {
    type: "search", id: "search", placeholder: "Search", "aria-label": "Search devices", value: searched,
    oninput: (event) => {
      searched = event.target.value;
      sift(devices, grid);
    },
  });
}

function sift(devices, grid) {
  const text = searched.toLowerCase();
  devices.forEach((device, index) => {
    const named = `${device.name ?? ""} ${device.device} ${device.label ?? ""}`.toLowerCase();
    const state = stateOf(device);
    grid.children[index].hidden = (wanted !== "all" && wanted !== state) || !named.includes(text);
  });
}

function nothing(capture) {
  const heard = capture.devices === 1 ? "One address was" : `${capture.devices} addresses were`;
  return make("div", { className: "panel" },
    make("h2", {}, "Listening"),
    make("p", {}, capture.capturing
      ? `${heard} heard so far. Devices are shown here within a minute.`
      : `Nothing is captured: ${capture.trouble}.`),
    make("p", {}, make("a", { href: "#/capture" }, "How the capture is")));
}
