// Talking to the agent: requests, and the WebSocket on which it tells what happens.

const API = "api/v1";
const AGAIN_MS = 5000;

export class Refused extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export async function request(path, { method = "GET", body } = {}) {
  const response = await fetch(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: { "X-Fwid-Page": "1", "Content-Type": "application/json" },
  }).catch(() => { throw new Refused(0, "the agent does not answer"); });
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, answer.error ?? `error ${response.status}`);
  return answer;
}

let ahead_ms = 0; // of the browser's clock: a replay has a time of its own

export const now = () => new Date(Date.now() + ahead_ms);

export async function readInfo() {
  const info = await request(`${API}/info`);
  ahead_ms = Date.parse(info.time) - Date.now();
  return info;
}

export const readDevices = async () => (await request(`${API}/devices`)).devices;
export const readDevice = (mac) => request(`${API}/devices/${mac}`);
export const readHistory = async (mac) => (await request(`${API}/devices/${mac}/history`)).history;
export const readContacts = async (mac) => (await request(`${API}/devices/${mac}/contacts`)).contacts;
export const imageOf = (mac, which) => `${API}/devices/${mac}/image/${which}.png`;
export const act = (mac, name, body = {}) =>
  request(`${API}/devices/${mac}/${name}`, { method: "POST", body });

export const retrain = () => request(`${API}/retrain`, { method: "POST", body: {} });
export const rollBack = () => request(`${API}/retrain/roll-back`, { method: "POST", body: {} });

export async function readEvents(mac) {
  const found = [];
  for (;;) {
    const after = found.at(-1)?.seq ?? 0;
    const { events, reason_texts } = await request(`${API}/events?device=${mac}&after=${after}`);
    found.push(...events.map((event, index) => ({ ...event, reason_texts: reason_texts[index] })));
    if (events.length < 1000) return found;
  }
}

export const logIn = (code) => request("session", { method: "POST", body: { code } });
export const logOut = () => request("session", { method: "DELETE" });
export const makeCode = () => request("session/code", { method: "POST" });
export const readTokens = async () => (await request("session/tokens")).tokens;
export const revokeToken = (id) => request(`session/tokens/${id}`, { method: "DELETE" });
export const BACKUP = "session/backup";

// Call back whenever something may have happened, for as long as `wanted` says so.
export async function listen(onNews, wanted) {
  while (wanted()) {
    try {
      const { last_seq } = await readInfo();
      await follow(last_seq, onNews);
      onNews(); // perhaps the agent ended it, because this session is over
    } catch { /* it does not answer: it is asked again */ }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function follow(after, onNews) {
  const url = new URL(`${API}/events/ws`, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  return new Promise((resolve) => {
    const stream = new WebSocket(url);
    stream.onopen = () => stream.send(JSON.stringify({ after }));
    stream.onmessage = () => onNews();
    stream.onclose = resolve;
  });
}
