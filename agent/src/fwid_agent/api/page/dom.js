// Elements, made one by one: whatever a device calls itself becomes text, never HTML.

const SVG = "http://www.w3.org/2000/svg";
// Strokes on a grid of 24.
const ICONS = {
  stable: "M4 12.5 9.5 18 20 6.5",
  changed: "M12 3 2.5 20h19L12 3Zm0 7v4.5m0 2.6v.4",
  suspected: "M9 9a3 3 0 1 1 4.2 2.8c-.8.4-1.2 1-1.2 2m0 3v.4M12 2.5a9.5 9.5 0 1 1 0 19 9.5 9.5 0 0 1 0-19Z",
  learning: "M12 6.5C10 5 7 4.5 3 4.5v13.5c4 0 7 .5 9 2 2-1.5 5-2 9-2V4.5c-4 0-7 .5-9 2Zm0 0V20",
  quiet: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
  unseen: "M3 3l18 18M10 5.2A10 10 0 0 1 22 12a14 14 0 0 1-2.6 3.6M6.2 6.700A13 13 0 0 0 2 12s3.5 7 10 7a9 9 0 0 0 4.5-1.2M9.800 9.900a3 3 0 0 0 4.2 4.2",
  seen: "M12 5v14M5 12h14",
  muted: "M3 3l18 18M18 15V11a6 6 0 0 0-9-5.2M6 9v6l-2 2.5h13M10 20.5h4",
  edit: "M4 20h4L19.5 8.5l-4-4L4 16v4ZM13 7l4 4",
  back: "M15 5l-7 7 7 7",
  accepted: "M4 12.5 9.5 18 20 6.5",
  new_device: "M12 5v14M5 12h14",
  version_changed: "M12 3 2.5 20h19L12 3Zm0 7v4.5m0 2.6v.4",
  update_in_progress: "M12 3v12m-5-5 5 5 5-5M4 20h16",
  behaves_differently: "M3 13h4l3-8 4 14 3-6h4",
  returned_to_known_version: "M4 9h10a5 5 0 0 1 0 10H8M4 9l4-4M4 9l4 4",
};

export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("aria-") || key.startsWith("data-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.seen);
  svg.append(path);
  return svg;
}

export function section(title, ...children) {
  const id = title.toLowerCase().replaceAll(/[^a-z]+/g, "-");
  return make("section", { className: "panel", "aria-labelledby": id },
    make("h2", { id }, title), ...children);
}

export function button(text, onclick, { main = false, danger = false, id = "", label = "" } = {}) {
  const made = make("button", { type: "button", className: main ? "main" : danger ? "danger" : "", onclick, id }, text);
  if (label) made.setAttribute("aria-label", label);
  return made;
}

export function table(heads, rows, caption) {
  return make("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": caption },
    make("table", {},
      make("caption", { className: "hidden" }, caption),
      make("thead", {}, make("tr", {}, heads.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, rows.map((cells) => make("tr", {}, cells.map((cell) => make("td", {}, ...[cell].flat())))))));
}

const says = document.getElementById("says");

export function tell(text) {
  says.textContent = text;
  setTimeout(() => { if (says.textContent === text) says.textContent = ""; }, 8000);
}

// Ask in a dialog; `fields` are elements, `done` gets the form's data and is called on the main button.
export function ask(title, fields, action, done, { danger = false } = {}) {
  const form = make("form", { method: "dialog" },
    make("h2", { id: "dialog-title" }, title), fields,
    make("div", { className: "buttons" },
      make("button", { className: danger ? "danger" : "main", value: "yes" }, action),
      make("button", { value: "no", formNoValidate: true }, "Cancel")));
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, form);
  document.body.append(dialog);
  dialog.onclose = () => {
    const data = new FormData(form);
    dialog.remove();
    if (dialog.returnValue === "yes") done(data);
  };
  dialog.showModal();
}

export const dialogIsOpen = () => document.querySelector("dialog[open]") !== null;
