// How the capture is: each source, what was lost on the way, and what helps.

import { readDevices } from "./agent.js";
import { icon, make, section, table } from "./dom.js";
import { aboutModel } from "./identification.js";
import { VANTAGES, count, nameOf, timeText, when } from "./words.js";

const SKEW_S = 60;
const KINDS = {
  interface: "network interface", stream: "capture on standard input", folder: "folder of captures",
  tzsp: "packets that a router sends (TZSP)", fritzbox: "FRITZ!Box", replay: "replayed captures",
};
// Where frames are lost, and what to do against it.
const LOSSES = [
  ["lost", "no room", "The machine is too slow for what comes in, or was busy: stop other programs, or capture less (a filter "
    + "on the router, one port instead of several)."],
  ["undecoded", "not readable", "Frames of another kind than the agent reads, or cut too short. A few are usual."],
  ["merged", "joined", "Frames that hold several packets. Switch the joining off where they are captured: "
    + "ethtool -K INTERFACE gro off lro off tso off gso off."],
  ["copies", "copies", "Another source had brought them already; they are counted once. Nothing has to be done."],
  ["unfollowed", "not followed", "There are more addresses than are followed at once: raise max_devices, or look who makes them up."],
];
// What there was no room to remember, and what to do against it.
const CROWDS = [
  ["flows_evicted", "connections were taken for ended before they were, for there were too many at once: look who opens so "
    + "many (a port scan does), or raise max_flows."],
  ["lost_windows", "hours of devices were given up, for the store could not be written for too long: look at its disk."],
  ["forgotten", "addresses that were hardly seen were forgotten to make room for others: look who makes them up, or raise "
    + "max_devices. Devices that have been learnt, enrolled or named stay."],
];

export async function showCapture(info, refresh) {
  const { capture } = info;
  const devices = await readDevices();
  const parts = devices.filter((device) => device.vantage in VANTAGES);
  return {
    title: "Capture",
    content: [
      make("div", { className: "heading" }, make("h1", {}, "Capture")),
      skew(info),
      make("ul", { className: "grid" }, capture.sources.map(source)),
      section("What became of the frames", stages(capture)),
      section("What is seen of the devices", seen(devices, parts)),
      aboutModel(info, refresh),
      section("The agent", make("dl", { className: "facts" },
        fact("Version", info.version), fact("Running since", timeText(info.started, when)),
        fact("Its clock", timeText(info.time, when)), fact("Id", make("span", { className: "mono" }, info.id)))),
    ],
  };
}

const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));

function source(one) {
  const state = one.capturing ? (one.lost ? "suspected" : "stable") : "changed";
  return make("li", { className: "panel source" },
    make("span", { className: "row" }, make("span", { className: "name" }, one.source),
      make("span", { className: `pill ${state}` }, icon(one.capturing ? "stable" : "changed"), one.capturing ? "Capturing" : "Not capturing")),
    make("span", { className: "soft" }, KINDS[one.kind] ?? one.kind),
    one.trouble ? make("p", { className: "warn" }, `${one.trouble}.`) : null,
    make("p", {}, `${count(one.frames)} frames`, one.lost ? `, ${count(one.lost)} lost` : ", none lost"));
}

function stages(capture) {
  const all = capture.frames + capture.lost;
  const rows = LOSSES.filter(([name]) => capture[name] > 0).map(([name, word, help]) =>
    [word, count(capture[name]), share(capture[name], all), help]);
  return [
    make("p", {}, `Of ${count(all)} frames, ${count(capture.frames)} were read`, rows.length ? ":" : ", and each of them counted."),
    rows.length ? table(["What", "Frames", "Share", "What helps"], rows, "Losses by stage") : null,
    ...CROWDS.filter(([name]) => capture[name] > 0).map(([name, words]) => make("p", {}, `${count(capture[name])} ${words}`)),
  ];
}

const share = (part, all) => (part / Math.max(all, 1)).toLocaleString([], { style: "percent", maximumFractionDigits: 2 });

function seen(devices, parts) {
  if (!parts.length) {
    const known = devices.filter((device) => device.vantage === "all").length;
    return make("p", {}, `All that ${count(known)} of ${count(devices.length)} devices say passes the agent; of the others too little `
      + "was seen to say.");
  }
  return table(["Device", "What is seen", "What helps"], parts.map((device) => [
    make("a", { href: `#/${device.device}` }, nameOf(device)), VANTAGES[device.vantage][0], VANTAGES[device.vantage][2],
  ]), "Devices of which only a part is seen");
}

function skew({ time, capture }) {
  const apart_s = Math.abs(Date.parse(time) - Date.now()) / 1000;
  if (apart_s < SKEW_S || capture.sources.some((one) => one.kind === "replay")) return null;
  return make("section", { className: "note suspected", "aria-label": "Clock" }, icon("suspected"), make("div", {},
    make("p", { className: "strong" }, "The agent's clock is not this browser's."),
    make("p", {}, `It says ${when(time)}, here it is ${when(Date.now())}. A machine without a clock of its own `
      + "needs the network's time: timedatectl shows whether it has it.")));
}
