// How chatty a device is: by day and by hour, with which networks, by which services.

import { make, section, table } from "./dom.js";
import { bytes, count, day, serviceName, short } from "./words.js";

const DAYS = 60;
const FEW_DAYS = 9; // each has its date below
const HOUR_DAYS = 14;
const LISTED = 12;
const LEVELS = 6; // of the colours of hours
const MEASURES = {
  packets: ["Packets", (one) => one.packets, short],
  bytes: ["Bytes", (one) => one.bytes, bytes],
  networks: ["Networks", (one) => one.networks.size, count],
};

// What was chosen stays so when the page is shown anew.
let measure = "packets";
let chosen = null; // start of a day

export function showContacts(contacts, lastChange) {
  if (!contacts.length) {
    return { element: section("How chatty it is", make("p", { className: "soft" }, "Nothing was counted yet.")) };
  }
  const days = byDay(contacts).slice(-DAYS);
  const hours = days.filter((one) => one.hours.size).slice(-HOUR_DAYS);
  const lists = make("div", { className: "columns" });
  const says = make("p", { className: "soft", role: "status" });
  const charts = make("div", {});

  const choose = (one) => {
    chosen = chosen === one.time ? null : one.time;
    paint();
    charts.querySelector(`[data-day="${one.time}"]`).focus();
  };
  const paint = () => {
    const one = days.find(({ time }) => time === chosen);
    const whole = sum(one ? [one] : days);
    says.textContent = `${one ? day(one.time) : days.length === 1 ? "One day" : `${days.length} days`}: ${count(whole.packets)} packets, `
      + `${bytes(whole.bytes)}, ${count(whole.networks.size)} ${whole.networks.size === 1 ? "network" : "networks"}`
      + (whole.beyond ? ` and ${count(whole.beyond)} connections to further ones` : "");
    charts.replaceChildren(...bars(days, choose), hours.length ? heat(hours) : "");
    lists.replaceChildren(networks(whole, days, lastChange), services(whole));
  };
  const tabs = make("div", { className: "chips", role: "group", "aria-label": "Measure" },
    Object.entries(MEASURES).map(([name, [word]]) => make("button", {
      type: "button", className: "chip", id: `measure-${name}`, "aria-pressed": String(measure === name),
      onclick: (event) => {
        measure = name;
        for (const one of tabs.children) one.setAttribute("aria-pressed", String(one === event.target));
        paint();
      },
    }, word)));
  paint();
  return { element: section("How chatty it is", tabs, charts, says, lists, asTable(days)) };
}

// --- adding up -------------------------------------------------------------------------------------

const nobody = () => ({ packets: 0, bytes: 0, networks: new Map(), ports: new Map(), beyond: 0 });

function add(total, one) {
  total.packets += one.packets;
  total.bytes += one.bytes;
  total.beyond += one.networks_beyond ?? one.beyond;
  for (const [network, flows] of one.networks) total.networks.set(network, (total.networks.get(network) ?? 0) + flows);
  for (const [key, port] of one.ports) {
    total.ports.set(key, { ...port, flows: (total.ports.get(key)?.flows ?? 0) + port.flows });
  }
  return total;
}

const sum = (several) => several.reduce(add, nobody());

function counted(contact) {
  return {
    ...contact,
    networks: new Map(contact.networks.map(({ network, flows }) => [network, flows])),
    ports: new Map(contact.ports.map((port) => [`${port.port} ${port.protocol} ${port.opened}`, port])),
  };
}

function byDay(contacts) {
  const days = new Map();
  for (const contact of contacts.map(counted)) {
    const time = new Date(contact.time);
    const key = time.toLocaleDateString("sv");
    if (!days.has(key)) days.set(key, { ...nobody(), time: contact.time, hours: new Map() });
    const one = days.get(key);
    add(one, contact);
    if (contact.length_s <= 3600) {
      const hour = time.getHours();
      one.hours.set(hour, add(one.hours.get(hour) ?? nobody(), contact));
    }
  }
  return [...days.values()];
}

const shortDay = (text) => new Date(text).toLocaleDateString([], { day: "numeric", month: "short" });

// --- drawing ---------------------------------------------------------------------------------------

function bars(days, choose) {
  const [word, value, write] = MEASURES[measure];
  const most = Math.max(...days.map(value), 1);
  const ends = days.length > 1 ? [days[0], days.at(-1)] : days;
  return [make("ol", { className: "bars", "aria-label": `${word} by day` }, days.map((one) => {
    const bar = make("span", { className: "bar" });
    bar.style.height = `${Math.max(value(one) / most * 100, 1.5)}%`;
    return make("li", {}, make("button", {
      type: "button", title: `${day(one.time)}: ${write(value(one))}`, "aria-pressed": String(one.time === chosen),
      "data-day": one.time, "aria-label": `${day(one.time)}: ${write(value(one))}${measure === "bytes" ? "" : ` ${word.toLowerCase()}`}`, onclick: () => choose(one),
    }, bar));
  })), make("p", { className: `ends soft ${days.length < FEW_DAYS ? "few" : ""}`, "aria-hidden": "true" },
    (days.length < FEW_DAYS ? days : ends).map((one) => make("span", {}, days.length < FEW_DAYS ? shortDay(one.time) : day(one.time))))];
}

function heat(days) {
  const [word, value, write] = MEASURES[measure];
  const most = Math.max(...days.flatMap((one) => [...one.hours.values()].map(value)), 1);
  // Hours differ by orders of magnitude: each step of colour is a multiple.
  const level = (number) => (number ? 1 + Math.round(Math.log1p(number) / Math.log1p(most) * (LEVELS - 1)) : 0);
  const rows = days.map((one) => make("tr", {},
    make("th", { scope: "row" }, new Date(one.time).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })),
    Array.from({ length: 24 }, (_, hour) => {
      const found = one.hours.get(hour);
      const text = found ? write(value(found)) : "0";
      return make("td", { className: `heat${level(found ? value(found) : 0)}`, title: `${hour}:00 – ${text}` },
        make("span", { className: "hidden" }, text));
    })));
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": `${word} by hour` },
    make("table", { className: "heat" }, make("caption", { className: "hidden" }, `${word} by hour`),
      make("thead", {}, make("tr", {}, make("td", {}), Array.from({ length: 24 }, (_, hour) =>
        make("th", { scope: "col" }, hour % 6 ? make("span", { className: "hidden" }, String(hour)) : String(hour))))),
      make("tbody", {}, rows)));
}

function ranked(title, entries, empty) {
  const sorted = entries.sort((a, b) => b.flows - a.flows);
  const most = sorted[0]?.flows ?? 1;
  return make("div", {}, make("h3", {}, title),
    sorted.length ? make("ol", { className: "ranked" }, sorted.slice(0, LISTED).map(({ text, flows, mark }) => {
      const bar = make("span", { className: "share", "aria-hidden": "true" });
      bar.style.width = `${flows / most * 100}%`;
      return make("li", {}, bar, make("span", {}, text, mark ? make("span", { className: "tag" }, mark) : null),
        make("span", { className: "soft", title: "connections" }, short(flows)));
    })) : make("p", { className: "soft" }, empty),
    sorted.length > LISTED ? make("p", { className: "soft small" }, `and ${sorted.length - LISTED} more`) : null);
}

function networks(whole, days, lastChange) {
  const before = new Set(lastChange ? days.filter((one) => one.time < lastChange).flatMap((one) => [...one.networks.keys()]) : []);
  const isNew = (network) => before.size > 0 && !before.has(network);
  return ranked("Networks on the internet", [...whole.networks].map(([network, flows]) =>
    ({ text: network, flows, mark: isNew(network) ? "new since the change" : "" })), "None was contacted.");
}

function services(whole) {
  const found = new Map();
  for (const port of whole.ports.values()) {
    const text = serviceName(port);
    found.set(text, (found.get(text) ?? 0) + port.flows);
  }
  return ranked("Services", [...found].map(([text, flows]) => ({ text, flows })), "None was used.");
}

const asTable = (days) => make("details", { id: "contacts-table" }, make("summary", {}, "As a table"),
  table(["Day", "Packets", "Bytes", "Networks", "Services"], days.slice().reverse().map((one) =>
    [day(one.time), count(one.packets), bytes(one.bytes), count(one.networks.size), count(one.ports.size)]), "Contacts by day"));
