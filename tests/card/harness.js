// Home Assistant as far as the card sees it: two elements of its own, and a `hass` object that answers
// from a scene (see scenes.py) and keeps what it was asked.

customElements.define(
  "ha-card",
  class extends HTMLElement {
    #title = document.createElement("h1");

    constructor() {
      super();
      const root = this.attachShadow({ mode: "open" });
      const style = document.createElement("style");
      style.textContent = `
        :host { display: block; overflow: hidden; background: var(--card-background-color);
          border: 1px solid var(--divider-color); border-radius: var(--ha-card-border-radius); }
        h1 { margin: 0; padding: 12px 16px 4px; font: 400 24px sans-serif; }
        h1:empty { display: none; }`;
      root.append(style, this.#title, document.createElement("slot"));
    }

    set header(text) {
      this.#title.textContent = text ?? "";
    }
  },
);

customElements.define(
  "ha-icon",
  class extends HTMLElement {
    connectedCallback() {
      this.style.cssText += ";display:inline-block;width:24px;height:24px;border-radius:50%";
      this.style.background = "currentColor";
    }
  },
);

const asked = [];
const called = [];
const connection = new EventTarget();
let scene;
let hass;
let card;

async function callWS(message) {
  asked.push(message);
  await new Promise((done) => setTimeout(done, scene.delay_ms ?? 0));
  const refusal = scene.refuse?.[message.type];
  if (refusal) throw refusal;
  if (message.type === "fwid/devices") return { devices: structuredClone(scene.devices) };
  if (message.type === "fwid/history") return structuredClone(scene.histories[message.device_id]);
  if (message.type === "auth/sign_path") return { path: `${message.path}?authSig=signed` };
  throw { code: "unknown_command", message: "Unknown command." };
}

async function callService(domain, service, data, target, notifyOnError) {
  called.push({ domain, service, data, target, notifyOnError });
  const refusal = scene.refuse?.[`${domain}.${service}`];
  if (refusal) throw refusal;
  scene.devices = scene.after?.[service] ?? scene.devices;
}

function hassOf() {
  const states = {};
  for (const id of Object.keys(scene.entities)) states[id] = { state: String(scene.devices.length) };
  for (const device of scene.devices) states[device.entity_id] = { state: device.state };
  return {
    states,
    entities: { ...scene.entities, "sun.sun": { platform: "sun" } },
    devices: {},
    areas: {},
    language: scene.language ?? "en",
    locale: { language: scene.language ?? "en", time_format: "24", time_zone: "server" },
    config: { time_zone: "Europe/Berlin" },
    user: { is_admin: scene.is_admin ?? true },
    connection,
    hassUrl: (path) => path,
    callWS,
    callService,
  };
}

window.harness = {
  asked,
  called,

  /** Build a card in this scene. */
  async show(newScene) {
    scene = newScene;
    document.documentElement.lang = scene.language ?? "en";
    document.documentElement.dir = scene.dir ?? "ltr";
    document.documentElement.classList.toggle("dark", scene.dark ?? false);
    await import("/fwid-card.js");
    card = document.createElement("fwid-card");
    card.setConfig({ type: "custom:fwid-card", ...scene.config });
    card.hass = hass = hassOf();
    document.querySelector("main").replaceChildren(card);
  },

  /** Change the scene and tell the card by a state that changed, as Home Assistant does. */
  change(part) {
    Object.assign(scene, part);
    const { entities } = hass;
    card.hass = hass = { ...hassOf(), entities, locale: hass.locale, devices: hass.devices, areas: hass.areas, user: hass.user };
  },

  /** Something that is none of the card's business. */
  tick() {
    card.hass = hass = { ...hass, states: { ...hass.states, "sun.sun": { state: String(Math.random()) } } };
  },

  reconnect() {
    connection.dispatchEvent(new Event("ready"));
  },

  refuseConfig(config) {
    try {
      card.setConfig(config);
      return null;
    } catch (error) {
      return error.message;
    }
  },
};
