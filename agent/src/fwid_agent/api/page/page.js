// The page of the agent: which view is shown, and when it is shown anew.

import { listen, readInfo } from "./agent.js";
import { dialogIsOpen, icon, make, tell } from "./dom.js";
import { short } from "./words.js";
import { showAccess } from "./view-access.js";
import { showCapture } from "./view-capture.js";
import { showDevice } from "./view-device.js";
import { showDevices } from "./view-devices.js";
import { showLogin } from "./view-login.js";

const HEALTH_MS = 10_000;
const ANEW_MS = 60_000;
const AGAIN_MS = 3000;
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const pill = document.getElementById("health");
let loggedIn = false;
let shown = 0; // the view that is being shown: an older one that comes late is dropped

const VIEWS = [
  [/^#\/([0-9a-f]{2}(?::[0-9a-f]{2}){5})$/, (info, mac) => showDevice(mac, info, refresh)],
  [/^#\/capture$/, (info) => showCapture(info, refresh)],
  [/^#\/access$/, () => showAccess(refresh)],
  [/^/, (info) => showDevices(info)],
];

function viewOf(hash) {
  const [pattern, view] = VIEWS.find(([one]) => one.test(hash));
  return (info) => view(info, ...(hash.match(pattern)?.slice(1) ?? []));
}

async function show() {
  const mine = ++shown;
  try {
    const info = await readInfo();
    const view = await viewOf(location.hash)(info);
    if (mine !== shown) return;
    loggedIn = true;
    showHealth(info);
    place(view);
    follow();
  } catch (error) {
    if (mine !== shown) return;
    if (error.status === 401) logIn();
    else fail(error);
  }
}

// Show a view anew without losing where its reader is.
function place({ title, content, drawn }) {
  document.title = title ? `${title} – fwid` : "fwid";
  const focused = document.activeElement?.id;
  const opened = [...main.querySelectorAll("details[open]")].map((one) => one.id);
  const { scrollX, scrollY } = window;
  main.replaceChildren(...content.filter(Boolean));
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  drawn?.();
  if (focused && focused !== "main") document.getElementById(focused)?.focus({ preventScroll: true });
  window.scrollTo(scrollX, scrollY);
}

function showHealth({ capture }) {
  nav.hidden = pill.hidden = false;
  for (const link of nav.children) {
    const here = link.hash === location.hash || (link.hash === "#/" && !/^#\/(capture|access)$/.test(location.hash));
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  pill.className = `health ${capture.capturing ? (capture.lost ? "suspected" : "stable") : "changed"}`;
  pill.replaceChildren(icon(capture.capturing ? "stable" : "changed"), capture.capturing
    ? `${short(capture.frames)} packets${capture.lost ? `, ${short(capture.lost)} lost` : ""}`
    : "not capturing");
}

function showNoAnswer() {
  pill.className = "health changed";
  pill.replaceChildren(icon("changed"), "no answer");
}

function logIn() {
  loggedIn = false;
  nav.hidden = pill.hidden = true;
  if (!document.getElementById("code")) place(showLogin(show));
}

function fail(error) {
  setTimeout(refresh, AGAIN_MS); // it may be starting, or the network was away
  if (main.querySelector(".panel, .card")) tell(`${error.message}.`);
  else main.replaceChildren(make("p", { className: "note changed" }, icon("changed"), `${error.message}.`));
}

let waiting = false;

function refresh() {
  // Several events of one unit come together; and nobody likes a dialog that vanishes.
  if (waiting) return;
  waiting = true;
  setTimeout(() => {
    waiting = false;
    if (dialogIsOpen()) refresh();
    else show();
  }, 150);
}

let listening = false;

async function follow() {
  if (listening) return;
  listening = true;
  await listen(refresh, () => loggedIn);
  listening = false;
}

addEventListener("hashchange", async () => {
  await show();
  scrollTo(0, 0);
  main.focus();
});
setInterval(async () => {
  if (loggedIn && !document.hidden) await readInfo().then(showHealth, () => showNoAnswer());
}, HEALTH_MS);
setInterval(() => { if (loggedIn && !document.hidden) refresh(); }, ANEW_MS);
show();
