// What a person can do about a device, each thing asked back once before it is done.

import { LitElement, css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import type { Hass } from "./hass";
import { refusalOf } from "./hass";
import type { Action, Device } from "./model";
import { act } from "./model";
import { buttons, texts } from "./style";
import type { Words } from "./words";

@customElement("fwid-actions")
export class Actions extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) device!: Device;
  @state() private asked: Action | null = null;
  @state() private running = false;
  @state() private done: Action | null = null;
  @state() private trouble: string | null = null;
  @query("button") private first?: HTMLButtonElement | null;
  @query("[role=status]") private status!: HTMLElement;

  protected override render(): TemplateResult {
    const { words } = this;
    return html`
      ${this.asked ? this.question(this.asked) : this.offers()}
      <p role="status" tabindex="-1">${this.done ? words.say(`${this.done}_done`) : nothing}</p>
      ${this.trouble === null
        ? nothing
        : html`<p class="trouble" role="alert">${words.say("action_failed", { message: this.trouble })}</p>`}
    `;
  }

  private offers(): TemplateResult {
    const { device, words } = this;
    const offer = (action: Action, style: string) =>
      html`<button class="button ${style}" @click=${() => this.ask(action)}>${words.say(action)}</button>`;
    return html`<div class="buttons">
      ${device.state === "changed" ? offer("accept", "main") : nothing}
      ${device.alarm_event !== null ? offer("wrong_alarm", "") : nothing}
    </div>`;
  }

  private question(action: Action): TemplateResult {
    const { words } = this;
    return html`
      <div role="group" aria-labelledby="question">
        <p id="question">${words.say(`${action}_question`, { name: this.device.name })}</p>
        <div class="buttons">
          <button class="button main" ?disabled=${this.running} @click=${() => this.act(action)}>
            ${words.say(`yes_${action}`)}
          </button>
          <button class="button" ?disabled=${this.running} @click=${() => this.ask(null)}>
            ${words.say("cancel")}
          </button>
        </div>
      </div>
    `;
  }

  /** Ask whether it is meant, or (null) no longer; the keyboard stays where the eye is. */
  private async ask(action: Action | null): Promise<void> {
    this.asked = action;
    if (action) this.done = this.trouble = null;
    await this.updateComplete;
    (this.first ?? this.status).focus();
  }

  private async act(action: Action): Promise<void> {
    this.running = true;
    try {
      await act(this.hass, action, this.device);
      this.done = action;
      this.dispatchEvent(new CustomEvent("acted", { bubbles: true, composed: true }));
    } catch (error) {
      const { message, code } = refusalOf(error);
      this.trouble = message ?? String(code ?? "");
    }
    this.running = false;
    await this.ask(null);
  }

  static override styles = [
    texts,
    buttons,
    css`
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
      }

      p {
        margin: 8px 0;
      }

      p:empty {
        margin: 0;
      }

      .trouble {
        padding: 8px 12px;
        border-inline-start: 4px solid var(--error-color);
        background: color-mix(in srgb, var(--error-color) 12%, transparent);
      }
    `,
  ];
}
