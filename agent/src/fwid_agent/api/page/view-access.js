// Who may ask the agent, and a copy of what it knows.

import { BACKUP, logOut, makeCode, readTokens, revokeToken } from "./agent.js";
import { ask, button, make, section, table, tell } from "./dom.js";
import { day, timeText } from "./words.js";

export async function showAccess(refresh) {
  const tokens = await readTokens();
  return {
    title: "Access",
    content: [
      make("div", { className: "heading" }, make("h1", {}, "Access")),
      pairing(refresh),
      section("Who is let in", people(tokens, refresh), leave(tokens)),
      backup(),
      privacy(),
    ],
  };
}

// A code stays on the page while it is good, whatever else is shown anew.
let made = null;

function pairing(refresh) {
  const create = async () => {
    try {
      const code = await makeCode();
      made = { ...code, until: Date.now() + code.life_s * 1000 };
      setTimeout(refresh, code.life_s * 1000);
    } catch (error) {
      tell(`${error.message}.`);
    }
    refresh();
  };
  if (made && made.until < Date.now()) made = null;
  return section("Pair Home Assistant, or another program",
    make("p", {}, "Home Assistant finds the agent by itself and asks for a code: make one here. Whoever is paired sees everything "
      + "that the agent knows and can accept changes, so pair only what you trust."),
    made ? codeText(made) : null,
    button(made ? "Make another code" : "Make a code", create, { main: !made, id: "make-code" }));
}

function codeText({ code, until, fingerprint }) {
  return make("div", { role: "status" },
    make("p", { className: "code mono", "aria-label": `Code ${[...code].join(" ")}` }, `${code.slice(0, 4)} ${code.slice(4)}`),
    make("p", {}, `Good once, until ${new Date(until).toLocaleTimeString([], { timeStyle: "short" })}. Write it where the other program asks `
      + "for it. It then shows the fingerprint of the agent's certificate, which has to be this one:"),
    make("p", { className: "mono fingerprint" }, fingerprint.match(/.{1,4}/g)?.join(" ") ?? "the one that fwid pair shows"));
}

function people(tokens, refresh) {
  const kind = (token) => (token.mine ? "this browser" : token.session ? "browser" : "program");
  return table(["Name", "Last used", ""], tokens.map((token) => [
    [token.name, make("div", { className: "soft small" }, kind(token), ", since ", timeText(token.created, day))],
    token.last_used ? day(token.last_used) : "never",
    button("Revoke…", () => revoke(token, refresh), { id: `revoke-${token.id}`, label: `Revoke ${token.name}` }),
  ]), "Tokens");
}

function revoke(token, refresh) {
  ask(`Shut ${token.name} out?`, [
    make("p", {}, "It is cut off at once, and has to be paired again to come back."),
  ], "Shut out", async () => {
    try {
      await revokeToken(token.id);
      tell(`${token.name} is shut out.`);
    } catch (error) {
      tell(`${error.message}.`);
    }
    refresh();
  }, { danger: true });
}

function leave(tokens) {
  if (!tokens.some((token) => token.mine)) return null; // whoever comes by Home Assistant logs out there
  return button("Log out", async () => {
    await logOut().catch(() => {});
    location.hash = "#/";
    location.reload();
  }, { id: "log-out" });
}

const backup = () => section("Backup",
  make("p", {}, "A copy of the store as it is now: devices and their names, what is usual for them, what was decided, events. It tells "
    + "when people are at home, so keep it safe. Certificate and tokens are not in this one: ", make("code", {}, "fwid backup"),
    " on the machine itself puts them in, so that whoever is paired stays so on a new machine."),
  make("p", {}, make("a", { className: "button", href: BACKUP, download: "fwid-backup.db", id: "backup" }, "Download a backup")),
  make("p", { className: "soft" }, "To put it back, stop the agent and run ", make("code", {}, "fwid restore fwid-backup.db"), "."));

const privacy = () => section("What is kept",
  make("p", {}, "Of each device: when it sends and receives how many packets of which sizes, by which services, and with which networks on "
    + "the internet (the first part of their addresses). Never what is in the packets, and nothing leaves the home. It is forgotten after two "
    + "years, unless the configuration says otherwise. Everybody who lives here should know."));
