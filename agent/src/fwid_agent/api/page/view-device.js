// One device: what was decided of it and why, what it looked like before and after, whom it talks to.

import { imageOf, readContacts, readDevice, readEvents, readHistory } from "./agent.js";
import { forgetCharts, stretches, timeline, timelineRows, versionColour } from "./charts.js";
import { showContacts } from "./contacts.js";
import { actions, labelVersion, nameDevice, wrongAlarm } from "./device-actions.js";
import { button, icon, make, section, table } from "./dom.js";
import { whatItIs } from "./identification.js";
import {
  STATES, VANTAGES, count, eventText, nameOf, short, stateOf, timeText, versionName, when,
} from "./words.js";
import { learning } from "./view-devices.js";

const EVENTS_SHOWN = 30;
const PICTURES = {
  before: "What it was like before",
  after: "What it is like now",
  difference: "What differs",
};

export async function showDevice(mac, info, refresh) {
  const { unit_s } = info;
  const [device, history, contacts, events] = await Promise.all([
    readDevice(mac), readHistory(mac), readContacts(mac), readEvents(mac),
  ]);
  const steps = { device, refresh };
  const line = history.length ? timeline(history, events) : null;
  const chatter = showContacts(contacts, device.last_change);
  return {
    title: nameOf(device),
    content: [
      make("p", { className: "crumb" }, make("a", { href: "#/" }, icon("back"), "All devices")),
      heading(steps),
      verdict(steps, unit_s),
      vantage(device),
      sizes(device),
      actions(steps),
      whatItIs(steps, info),
      section("How alike it is to itself",
        line ? line.element : make("p", { className: "soft" }, "The first day is not over."),
        line ? versions(steps, history) : null,
        line ? asTable(history) : null),
      happened(steps, events),
      fingerprints(mac),
      chatter.element,
    ],
    drawn: () => {
      forgetCharts();
      line?.draw();
    },
  };
}

function heading({ device, refresh }) {
  const state = stateOf(device);
  const chosen = device.name_source === "device" ? ", as it calls itself" : "";
  return make("div", { className: "heading one" },
    make("h1", { className: "name" }, nameOf(device), " ",
      button(icon("edit"), () => nameDevice(device, refresh), { id: "rename", label: "Name this device" })),
    make("span", { className: `pill large ${state}` }, icon(state), STATES[state][0]),
    make("p", { className: "soft facts" },
      device.name ? make("span", { className: "mono" }, device.device) : null, chosen ? make("span", {}, `named${chosen}`) : null,
      device.randomised ? make("span", {}, "a private address, which may be gone tomorrow") : null,
      make("span", {}, `${short(device.packets_sent)} packets sent, ${short(device.packets_received)} received`),
      make("span", {}, "seen first ", timeText(device.first_seen), ", last ", timeText(device.last_seen))));
}

// --- why it is in its state ------------------------------------------------------------------------

function verdict(steps, unit_s) {
  const { device } = steps;
  const state = stateOf(device);
  const reasons = ["changed", "suspected"].includes(state) ? device.reason_texts : [];
  return make("section", { className: `note ${state}`, "aria-label": "State" },
    icon(state),
    make("div", {},
      make("p", { className: "strong" }, STATES[state][1]),
      device.since && state !== "learning" ? make("p", { className: "soft" }, "Since ", timeText(device.since, when), ".") : null,
      state === "learning" ? learning(device, unit_s) : null,
      reasons.length ? make("ul", { className: "reasons" }, reasons.map((text) => make("li", {}, text))) : null,
      device.update_expected_until
        ? make("p", { className: "soft" }, `An update is expected until ${when(device.update_expected_until)}.`) : null,
      device.muted ? make("p", { className: "soft" }, device.muted_until
        ? `Muted until ${when(device.muted_until)}.` : "Muted until further notice.") : null,
      device.alarm_was_wrong ? make("p", { className: "soft" }, "You called its last alarm wrong.") : null));
}

function vantage(device) {
  if (!(device.vantage in VANTAGES)) return null;
  const [title, meaning, help] = VANTAGES[device.vantage];
  return make("section", { className: "note unseen", "aria-label": "What is seen of it" }, icon("unseen"),
    make("div", {}, make("p", { className: "strong" }, `${title}.`), make("p", {}, meaning), make("p", {}, help)));
}

function sizes(device) {
  if (device.sizes_reliable) return null;
  return make("section", { className: "note suspected", "aria-label": "Sizes" }, icon("suspected"), make("div", {},
    make("p", { className: "strong" }, "Its packet sizes are not reliable."),
    make("p", {}, "Packets arrive joined together, and the source does not say how many there were. On the machine that "
      + "captures, switch the joining off: ", make("code", {}, "ethtool -K INTERFACE gro off lro off tso off gso off"))));
}

// --- over time -------------------------------------------------------------------------------------

function versions({ device, refresh }, history) {
  const seen = new Set(stretches(history, [0, 0]).map((one) => one.version));
  return make("ul", { className: "legend" }, device.versions.filter(({ version }) => seen.has(version) || version === device.version)
    .map(({ version }) => make("li", {},
      make("span", { className: `swatch v${versionColour(version).slice(-1)}` }),
      versionName(device, version),
      button("Label", () => labelVersion(device, version, refresh), { id: `label-${version}`, label: `Label version ${version}` }))),
    make("li", { className: "soft" }, make("span", { className: "swatch band" }), "usual"),
    history.some((one) => one.state === "changed")
      ? make("li", { className: "soft" }, make("span", { className: "swatch new" }), "changed, not accepted yet") : null);
}

const asTable = (history) => make("details", { id: "as-table" }, make("summary", {}, "As a table"),
  table(["Day", "State", "Version", "Similarity", "Usual", "g", "Reasons"], timelineRows(history), "What was decided, day by day"));

function happened(steps, events) {
  const newest = events.slice(-EVENTS_SHOWN).reverse();
  if (!newest.length) return null;
  // Whoever has accepted a change has said that it is one.
  const last = events.findLastIndex((event) => event.type === "accepted");
  const accepted = new Set(events.slice(0, last + 1));
  return section("What happened", make("ol", { className: "events" }, newest.map((event) => make("li", { className: event.type },
    icon(event.type),
    make("div", {},
      make("p", {}, make("span", { className: "strong" }, eventText(event)), " ", make("span", { className: "soft" }, timeText(event.time, when))),
      event.reason_texts?.length ? make("ul", { className: "reasons" }, event.reason_texts.map((text) => make("li", {}, text))) : null,
      wrongAlarm(steps, event, { accepted: accepted.has(event) }))))));
}

function fingerprints(mac) {
  const grid = make("div", { className: "pictures" });
  for (const [which, title] of Object.entries(PICTURES)) {
    const picture = make("img", {
      src: imageOf(mac, which),
      alt: `${title}: a row for each protocol and direction, a column for each statistic and packet size`,
    });
    const figure = make("figure", { className: which }, make("figcaption", {}, title),
      make("a", { href: imageOf(mac, which), target: "_blank", rel: "noopener", "aria-label": `${title}, enlarged` }, picture));
    picture.onerror = () => figure.replaceWith(make("p", { className: "soft" }, `${title}: no picture yet.`));
    grid.append(figure);
  }
  return section("Fingerprints",
    make("p", { className: "soft" }, "Each row is a protocol in one direction, each column a statistic or an exact packet size."), grid);
}
