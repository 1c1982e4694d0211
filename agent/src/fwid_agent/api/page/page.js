// The page of the agent. Everything that a device may have named itself is written as text, never
// as HTML, and nothing is asked of anybody but the agent.

const API = "api/v1";
const SPARK_UNITS = 30;
const main = document.getElementById("main");
const says = document.getElementById("says");
let stream = null;
let charts = [];

// --- talking to the agent --------------------------------------------------------------------------

class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { "X-Fwid-Page": "1", "Content-Type": "application/json" },
  });
  const body = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, body.error ?? `error ${response.status}`);
  return body;
}

const act = (mac, name, body = {}) =>
  ask(`${API}/devices/${mac}/${name}`, { method: "POST", body: JSON.stringify(body) });

function listen() {
  if (stream) return;
  const url = new URL(`${API}/events/ws`, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  ask(`${API}/info`).then((info) => {
    stream = new WebSocket(url);
    stream.onopen = () => stream.send(JSON.stringify({ after: info.last_seq }));
    stream.onmessage = () => show();
    stream.onclose = () => {
      stream = null;
      if (!document.getElementById("login")) setTimeout(listen, 5000);
    };
  }).catch(() => setTimeout(listen, 5000));
}

// --- making elements -------------------------------------------------------------------------------

function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

const fill = (...children) => main.replaceChildren(...children.filter((child) => child !== null));

const when = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
const title = (device) => device.label ?? device.name ?? device.device;

function tell(text) {
  says.textContent = text;
  setTimeout(() => { if (says.textContent === text) says.textContent = ""; }, 8000);
}

function draw(parent, history, height, axes) {
  const points = history.filter((one) => one.similarity_test !== null);
  if (points.length < 2) {
    parent.append(make("span", { className: "soft" }, "No similarity yet."));
    return;
  }
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line") } };
  const band = points.map((one) => one.similarity_baseline);
  charts.push(new uPlot({
    width: parent.clientWidth || 280,
    height,
    cursor: { show: axes },
    legend: { show: axes },
    scales: { y: { range: [0, 1] } },
    axes: axes ? [axis, { ...axis, label: "similarity" }] : [{ show: false }, { show: false }],
    series: [
      {},
      { label: "to itself", stroke: colour("--soft"), dash: [4, 4], points: { show: false } },
      { label: "this unit", stroke: colour("--mark"), width: 2, points: { show: axes } },
    ],
  }, [
    points.map((one) => Date.parse(one.time) / 1000),
    band,
    points.map((one) => one.similarity_test),
  ], parent));
}

// --- views -----------------------------------------------------------------------------------------

function login() {
  const code = make("input", {
    id: "code", inputMode: "numeric", autocomplete: "one-time-code", required: true, pattern: "[0-9 ]{8,9}",
  });
  const form = make("form", { id: "login" },
    make("h2", {}, "Log in"),
    make("p", {}, "Run ", make("code", {}, "fwid pair"), " on the agent's machine and write its code here."),
    make("label", { htmlFor: "code" }, "Code"), code,
    make("button", { className: "main" }, "Log in"));
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await ask("session", { method: "POST", body: JSON.stringify({ code: code.value.replaceAll(" ", "") }) });
      await show();
      listen();
    } catch (error) {
      tell(error.message);
      code.select();
    }
  };
  fill(form);
  code.focus();
}

function stateLine(device) {
  const state = device.state ?? "seen";
  const version = device.version ? `, version ${device.version}` : "";
  const since = device.since ? ` since ${when(device.since)}` : "";
  return make("p", {},
    make("span", { className: `state ${state}` }, state),
    make("span", { className: "soft" }, `${version}${since}${device.muted ? ", muted" : ""}`));
}

function learning(device) {
  if (device.state !== "learning") return null;
  const text = `${device.learned_units} of ${device.learning_units} units learnt, ready ${when(device.ready_at)}`;
  const bar = make("progress", { max: device.learning_units, value: device.learned_units });
  bar.setAttribute("aria-label", text);
  return make("div", {}, bar, make("p", { className: "soft" }, text));
}

async function list() {
  const { devices } = await ask(`${API}/devices`);
  const order = ["changed", "suspected", "learning", "stable", "quiet"];
  devices.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || b.packets_sent - a.packets_sent);
  const grid = make("ul", { className: "grid" });
  for (const device of devices) {
    const spark = make("div", { className: "spark" });
    grid.append(make("li", {}, make("a", { className: "card", href: `#/${device.device}` },
      make("span", { className: "name" }, title(device)),
      make("span", { className: "soft" }, title(device) === device.device ? "" : ` ${device.device}`),
      stateLine(device), learning(device),
      ...device.reason_texts.slice(0, 1).map((text) => make("p", { className: "soft" }, text)), spark)));
    ask(`${API}/devices/${device.device}/history`)
      .then(({ history }) => draw(spark, history.slice(-SPARK_UNITS), 40, false)).catch(() => {});
  }
  fill(make("h2", {}, `${devices.length} devices`), grid);
}

async function detail(mac) {
  const [device, { history }, { events }] = await Promise.all([
    ask(`${API}/devices/${mac}`), ask(`${API}/devices/${mac}/history`), ask(`${API}/events`),
  ]);
  const mine = events.filter((event) => event.device === mac).reverse();
  const alarm = mine.find((event) => event.type === "version_changed");
  const button = (text, job, done, className = "") => make("button", {
    type: "button", className,
    onclick: async () => {
      try { await job(); tell(done); await show(); } catch (error) { tell(error.message); }
    },
  }, text);
  const chart = make("div", {});
  const pictures = make("div", { className: "pictures" });
  for (const which of ["before", "after", "difference"]) {
    const image = make("img", {
      src: `${API}/devices/${mac}/image/${which}.png`, loading: "lazy",
      alt: `Fingerprint ${which}: protocols and directions in rows, statistics and packet sizes in columns`,
    });
    image.onerror = () => image.replaceWith(make("p", { className: "soft" }, `No picture “${which}” yet.`));
    pictures.append(make("figure", {}, image));
  }
  const rows = history.slice(-60).reverse().map((one) => make("tr", {},
    make("td", {}, when(one.time)), make("td", { className: one.state }, one.state),
    make("td", {}, String(one.version)), make("td", {}, one.verdict),
    make("td", {}, one.g === null ? "" : one.g.toFixed(2)),
    make("td", {}, one.reason_texts[0] ?? one.missing ?? "")));
  fill(
    make("p", {}, make("a", { href: "#/" }, "← all devices")),
    make("h2", { className: "name" }, title(device)),
    make("p", { className: "soft" }, device.device, device.randomised ? ", a made-up address" : "",
      `, ${device.packets_sent.toLocaleString()} packets sent, ${device.packets_received.toLocaleString()} received`),
    stateLine(device), learning(device),
    make("ul", {}, ...device.reason_texts.map((text) => make("li", {}, text))),
    make("div", { className: "buttons" },
      ...(device.state === "changed"
        ? [button("This change is fine", () => act(mac, "accept"), "Accepted.", "main")] : []),
      ...(alarm ? [button("Wrong alarm", () => act(mac, "wrong-alarm", { event: alarm.id }), "Noted.")] : []),
      button(device.muted ? "Unmute" : "Mute", () =>
        act(mac, "mute", { until: device.muted ? "2000-01-01T00:00:00Z" : null }), "Done."),
      button("Learn anew", () => act(mac, "relearn"), "Learning anew.")),
    make("h2", {}, "Similarity"), chart,
    make("h2", {}, "What happened"),
    make("ul", {}, ...mine.slice(0, 20).map((event) => make("li", {},
      `${when(event.time)}: ${event.type.replaceAll("_", " ")}`,
      event.to_version && event.from_version !== event.to_version
        ? ` (version ${event.from_version ?? "–"} → ${event.to_version})` : ""))),
    make("h2", {}, "Fingerprints"), pictures,
    make("h2", {}, "Units"),
    make("div", { className: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...["time", "state", "version", "verdict", "g", "strongest reason"]
        .map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows))));
  draw(chart, history, 260, true);
}

async function health() {
  const { capture } = await ask(`${API}/info`);
  const lost = capture.lost ? `, ${capture.lost.toLocaleString()} lost` : "";
  document.getElementById("health").textContent = capture.capturing
    ? `${capture.interface}: ${capture.frames.toLocaleString()} frames${lost}`
    : `not capturing: ${capture.trouble}`;
}

async function show() {
  charts.forEach((chart) => chart.destroy());
  charts = [];
  const mac = location.hash.slice(2);
  try {
    await health();
    await (/^[0-9a-f:]{17}$/.test(mac) ? detail(mac) : list());
    document.getElementById("leave").hidden = false;
  } catch (error) {
    if (error.status === 401) login();
    else tell(error.message);
  }
}

document.getElementById("leave").onclick = async () => {
  await ask("session", { method: "DELETE" }).catch(() => {});
  location.reload();
};
addEventListener("hashchange", () => show().then(() => main.focus()));
show().then(() => { if (!document.getElementById("login")) listen(); });
setInterval(() => { if (!document.getElementById("login")) health().catch(() => {}); }, 10000);
