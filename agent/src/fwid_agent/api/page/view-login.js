// Log in with a code that the agent's machine shows.

import { logIn } from "./agent.js";
import { make, tell } from "./dom.js";

export function showLogin(onLoggedIn) {
  const code = make("input", {
    id: "code", name: "code", inputMode: "numeric", autocomplete: "one-time-code", required: true,
    pattern: "[0-9 ]{8,9}", maxLength: 9, placeholder: "0000 0000", spellcheck: false,
  });
  const form = make("form", { className: "panel login" },
    make("img", { src: "page/icon.svg", alt: "", width: 56, height: 56 }),
    make("h1", {}, "Has its firmware changed?"),
    make("p", {}, "On the machine that the agent runs on, ", make("code", {}, "fwid pair"),
      " shows a code of eight digits. It is good for ten minutes."),
    make("label", { htmlFor: "code" }, "Code"), code,
    make("button", { className: "main" }, "Log in"),
    make("p", { className: "soft" }, "Before you do: the fingerprint of the certificate that your browser shows has "
      + "to be the one that ", make("code", {}, "fwid pair"), " shows."));
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await logIn(code.value.replaceAll(" ", ""));
      await onLoggedIn();
    } catch (error) {
      tell(`${error.message}.`);
      code.select();
    }
  };
  return { title: "Log in", content: [form], drawn: () => code.focus() };
}
