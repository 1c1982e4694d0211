// The card: all devices at a glance; one of them in detail when it is chosen.

import { LitElement, css, html, nothing } from "lit";
import type { PropertyValues, TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { CardConfig } from "./config";
import { checkConfig, chooseDevices } from "./config";
import { configForm, suggestFor } from "./dashboard";
import "./device-detail";
import { deviceRow, rowStyles } from "./device-row";
import { DevicesController } from "./devices-controller";
import { entitiesOf } from "./hass";
import type { Hass, Refusal } from "./hass";
import type { Device } from "./model";
import { buttons, charts, texts } from "./style";
import { Words, say } from "./words";

const UNKNOWN_COMMAND = "unknown_command";

@customElement("fwid-card")
export class FwidCard extends LitElement {
  @property({ attribute: false }) hass?: Hass;
  @state() private config?: CardConfig;
  @state() private openedId: string | null = null;

  private readonly source = new DevicesController(this);
  private words?: Words;

  static getConfigForm = configForm;

  static getStubConfig(): Partial<CardConfig> {
    return {};
  }

  setConfig(config: unknown): void {
    checkConfig(config);
    this.config = config;
    if (this.hass) this.source.refresh();
  }

  /** In rows of 50 px, for the masonry view. */
  getCardSize(): number {
    return 1 + (this.config?.title ? 1 : 0) + (this.source.devices?.length ?? 3);
  }

  getGridOptions(): Record<string, number | string> {
    return { columns: 12, min_columns: 6, rows: "auto" };
  }

  drawn(devices: readonly Device[]): readonly Device[] {
    return this.config?.show_graph === false ? [] : this.chosen(devices);
  }

  protected override shouldUpdate(changed: PropertyValues<this>): boolean {
    const others = [...changed.keys()].some((name) => name !== "hass");
    return others || !this.hass || !changed.has("hass") || this.source.concerns(this.hass, changed.get("hass"));
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!this.hass || !changed.has("hass")) return;
    this.words = Words.of(this.hass);
    this.source.hassChanged(this.hass, changed.get("hass"));
  }

  protected override render(): TemplateResult | typeof nothing {
    const { config, words } = this;
    if (!config || !words) return nothing;
    return html`
      <ha-card .header=${config.title}>
        <div class=${config.title ? "content titled" : "content"}>${this.content(words)}</div>
      </ha-card>
      ${this.detail(words)}
    `;
  }

  private content(words: Words): TemplateResult {
    const { devices, failure } = this.source;
    if (!devices) return failure ? this.failed(failure, words) : loading(words);
    const chosen = this.chosen(devices);
    if (!chosen.length) return this.empty(devices, words);
    return html`
      ${failure ? this.failed(failure, words) : nothing}
      ${chosen.some((device) => !device.available)
        ? html`<p class="note" role="status">${words.say("away")}</p>`
        : nothing}
      <p class="summary" role="status">${summary(chosen, words)}</p>
      <ul class="devices">
        ${chosen.map((device) =>
          deviceRow(device, this.history(device), words, () => (this.openedId = device.device_id)),
        )}
      </ul>
    `;
  }

  private detail(words: Words): TemplateResult | typeof nothing {
    const device = this.source.devices?.find(({ device_id }) => device_id === this.openedId);
    if (!device || !this.hass) return nothing;
    return html`<fwid-device-detail
      .hass=${this.hass}
      .words=${words}
      .device=${device}
      @closed=${() => (this.openedId = null)}
      @acted=${this.source.refresh}
    ></fwid-device-detail>`;
  }

  private failed(failure: Refusal, words: Words): TemplateResult {
    const text =
      failure.code === UNKNOWN_COMMAND
        ? words.say("not_set_up")
        : words.say("failed", { message: failure.message ?? String(failure.code ?? "") });
    return html`
      <div class="note error" role="alert">
        <p>${text}</p>
        <button class="button" @click=${this.source.refresh}>${words.say("retry")}</button>
      </div>
    `;
  }

  private empty(devices: readonly Device[], words: Words): TemplateResult {
    // There are entities, but nobody who could tell of their devices: it was never reached.
    const isAway = !devices.length && this.hass && entitiesOf(this.hass).length > 0;
    if (isAway) return html`<p class="note" role="status">${words.say("away_since_start")}</p>`;
    return html`
      <div class="empty">
        <ha-icon aria-hidden="true" icon="mdi:fingerprint"></ha-icon>
        <p>${words.say(devices.length ? "empty_chosen" : "empty")}</p>
        ${this.hass?.user?.is_admin
          ? html`<a class="button" href="/config/integrations/integration/fwid">${words.say("choose_devices")}</a>`
          : nothing}
      </div>
    `;
  }

  private chosen(devices: readonly Device[]): Device[] {
    return this.config ? chooseDevices(devices, this.config, this.words?.language ?? "en") : [];
  }

  private history(device: Device) {
    return this.config?.show_graph === false ? null : this.source.histories.get(device.device_id)?.history;
  }

  static override styles = [
    texts,
    buttons,
    charts,
    rowStyles,
    css`
      :host {
        display: block;
      }

      .content {
        container-type: inline-size;
        padding: 12px 0;
        color: var(--primary-text-color);
      }
      .titled {
        /* The heading has room below it already. */
        padding-top: 0;
        margin-top: -8px;
      }

      .summary {
        margin: 0;
        padding: 0 16px 4px;
        color: var(--secondary-text-color);
      }

      .note {
        margin: 0 16px 8px;
        padding: 8px 12px;
        border-inline-start: 4px solid var(--warning-color);
        background: color-mix(in srgb, var(--warning-color) 12%, transparent);
      }

      .note.error {
        border-color: var(--error-color);
        background: color-mix(in srgb, var(--error-color) 12%, transparent);
      }

      .note p {
        margin: 0 0 8px;
      }

      .empty {
        padding: 16px;
        text-align: center;
      }

      .empty ha-icon {
        --mdc-icon-size: 48px;
        color: var(--secondary-text-color);
      }

      .ghost {
        block-size: 40px;
        margin: 12px 16px;
        border-radius: 8px;
        background: var(--divider-color);
      }

      @media (prefers-reduced-motion: no-preference) {
        .ghost {
          animation: breathe 1.6s ease-in-out infinite alternate;
        }

        @keyframes breathe {
          to {
            opacity: 0.4;
          }
        }
      }
    `,
  ];
}

function loading(words: Words): TemplateResult {
  return html`
    <p class="unseen" role="status">${words.say("loading")}</p>
    <div aria-hidden="true">${[1, 2, 3].map(() => html`<div class="ghost"></div>`)}</div>
  `;
}

function summary(devices: readonly Device[], words: Words): string {
  const changed = devices.filter(({ state }) => state === "changed").length;
  const news = changed ? words.count("summary_changed", changed) : words.say("summary_calm");
  return `${words.count("summary", devices.length)} · ${news}`;
}

const pageLanguage = document.documentElement.lang || navigator.language;
window.customCards = window.customCards ?? [];
window.customCards.push({
  type: "fwid-card",
  name: say(pageLanguage, "card_name"),
  description: say(pageLanguage, "card_description"),
  preview: true,
  getEntitySuggestion: suggestFor,
});
