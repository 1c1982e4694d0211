// One device in detail: why, since when, how alike over time, its fingerprints, and what to do.

import { LitElement, css, html, nothing } from "lit";
import type { PropertyValues, TemplateResult } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import "./actions";
import "./fingerprints";
import type { Hass, Refusal } from "./hass";
import { refusalOf } from "./hass";
import { historyStyles, historyView } from "./history-view";
import type { Device, History } from "./model";
import { askHistory, isState, versionName } from "./model";
import { stateIcon, stateWord } from "./state-icon";
import { buttons, charts, texts } from "./style";
import type { Words } from "./words";

@customElement("fwid-device-detail")
export class DeviceDetail extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) device!: Device;
  @state() private history: History | null = null;
  @state() private failure: Refusal | null = null;
  @query("dialog") private dialog!: HTMLDialogElement;

  protected override firstUpdated(): void {
    this.dialog.showModal();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("device")) void this.ask();
  }

  private async ask(): Promise<void> {
    try {
      this.history = await askHistory(this.hass, this.device.device_id);
      this.failure = null;
    } catch (error) {
      this.failure = refusalOf(error);
    }
  }

  protected override render(): TemplateResult {
    const { device, words } = this;
    return html`
      <dialog aria-labelledby="name" @close=${this.tellClosed} @click=${this.closeFromOutside}>
        <div class="inside">
          <header>
            <h2 id="name" dir="auto">${device.name}</h2>
            <button class="close" aria-label=${words.say("close")} @click=${() => this.dialog.close()}>
              <ha-icon aria-hidden="true" icon="mdi:close"></ha-icon>
            </button>
          </header>
          ${device.available ? nothing : html`<p class="note" role="status">${words.say("away")}</p>`}
          <p class="now">${stateIcon(device.state)} <strong>${stateWord(device.state, words)}</strong>${this.facts()}</p>
          ${isState(device.state) ? html`<p>${words.say(`means_${device.state}`)}</p>` : nothing}
          ${this.reasons()} ${this.identified()}
          <fwid-actions .hass=${this.hass} .words=${words} .device=${device}></fwid-actions>
          <h3>${words.say("similarity")}</h3>
          ${this.failure
            ? html`<p class="note" role="alert">${words.say("history_failed", { message: this.failure.message ?? "" })}</p>`
            : historyView(device, this.history, words)}
          <h3>${words.say("fingerprints")}</h3>
          <fwid-fingerprints .hass=${this.hass} .words=${words} .device=${device}></fwid-fingerprints>
          ${this.hass.user?.is_admin
            ? html`<p><a class="button" href="/config/devices/device/${device.device_id}">${words.say("device_page")}</a></p>`
            : nothing}
        </div>
      </dialog>
    `;
  }

  private facts(): TemplateResult[] {
    const { device, words } = this;
    const version = versionName(device.version, device.label);
    return [
      version === null ? null : html`<bdi>${words.say("version", { version })}</bdi>`,
      device.since ? html`${words.say("since", { time: words.moment(device.since) })}` : null,
      device.area ? html`<bdi>${device.area}</bdi>` : null,
    ]
      .filter((part) => part !== null)
      .map((part) => html` · ${part}`);
  }

  private reasons(): TemplateResult {
    const { reasons, cause, effect_size } = this.device;
    const { words } = this;
    return html`
      <h3>${words.say("reasons")}</h3>
      ${reasons.length
        ? html`<ul class="reasons">${reasons.map((reason) => html`<li><bdi>${reason}</bdi></li>`)}</ul>`
        : html`<p>${words.say("no_reasons")}</p>`}
      ${cause === "software" || cause === "settings" ? html`<p>${words.say(`cause_${cause}`)}</p>` : nothing}
      ${effect_size === null
        ? nothing
        : html`<p class="soft">${words.say("effect_size", { value: words.number(effect_size) })}</p>`}
    `;
  }

  private identified(): TemplateResult | typeof nothing {
    const { words, device } = this;
    const { identified } = device;
    if (!identified) return nothing;
    const certainty = words.number(Math.round(identified.certainty * 100));
    const said =
      identified.label === null
        ? words.say("identified_none", { certainty })
        : words.say("identified", { name: identified.label, certainty });
    return html`<p class="identified">
      <bdi>${said}</bdi>${identified.agrees === false ? html` <strong>${words.say("identified_other")}</strong>` : nothing}
    </p>`;
  }

  private tellClosed(): void {
    this.dispatchEvent(new CustomEvent("closed"));
  }

  /** A click beside the dialog's content hits the dialog itself. */
  private closeFromOutside(event: Event): void {
    if (event.target === this.dialog) this.dialog.close();
  }

  static override styles = [
    texts,
    buttons,
    charts,
    historyStyles,
    css`
      dialog {
        inline-size: min(680px, 100vw - 32px);
        max-block-size: calc(100dvb - 32px);
        box-sizing: border-box;
        padding: 0;
        border: none;
        border-radius: var(--ha-card-border-radius, 12px);
        background: var(--card-background-color);
        color: var(--primary-text-color);
        overflow-y: auto;
        overscroll-behavior: contain;
      }

      .inside {
        padding: 0 24px 24px;
      }

      header {
        position: sticky;
        inset-block-start: 0;
        z-index: 1;
        display: flex;
        align-items: center;
        gap: 8px;
        margin: 0 -24px;
        padding-block: 8px;
        padding-inline: 24px 12px;
        background: var(--card-background-color);
      }

      h2 {
        flex: 1;
        margin: 0;
        font-size: 1.4em;
        font-weight: 500;
        overflow-wrap: anywhere;
      }

      h3 {
        margin: 20px 0 8px;
        font-size: 1.05em;
        font-weight: 500;
      }

      p {
        margin: 8px 0;
      }

      .now ha-icon {
        vertical-align: middle;
      }

      .close {
        inline-size: 48px;
        block-size: 48px;
        flex: none;
        border-radius: 50%;
      }

      .soft {
        color: var(--secondary-text-color);
      }

      .reasons {
        margin: 0;
        padding-inline-start: 20px;
        overflow-wrap: anywhere;
      }

      .note {
        padding: 8px 12px;
        border-inline-start: 4px solid var(--warning-color);
        background: color-mix(in srgb, var(--warning-color) 12%, transparent);
      }

      @media (max-width: 600px) {
        dialog {
          inline-size: 100vw;
          max-inline-size: none;
          block-size: 100dvb;
          max-block-size: none;
          border-radius: 0;
        }

        .inside {
          padding: 0 16px calc(16px + env(safe-area-inset-bottom));
        }

        header {
          margin: 0 -16px;
          padding-inline: 16px 4px;
        }
      }

      @media (prefers-reduced-motion: no-preference) {
        dialog[open] {
          animation: appear 0.15s ease-out;
        }

        @keyframes appear {
          from {
            opacity: 0;
          }
        }
      }
    `,
  ];
}
