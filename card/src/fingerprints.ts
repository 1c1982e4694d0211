// The fingerprint images of a device, loaded by signed addresses.

import { LitElement, css, html } from "lit";
import type { PropertyValues, TemplateResult } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import type { Hass } from "./hass";
import type { Device, Which } from "./model";
import { signImage } from "./model";
import { texts } from "./style";
import type { Words } from "./words";

const ALL: readonly Which[] = ["before", "after", "difference"];
/** A picture that is missing may come: the agent draws it when it has the time. */
const AGAIN_MS = 10_000;

@customElement("fwid-fingerprints")
export class Fingerprints extends LitElement {
  @property({ attribute: false }) hass!: Hass;
  @property({ attribute: false }) words!: Words;
  @property({ attribute: false }) device!: Device;
  /** Addresses as far as they are signed; null where there is no picture. */
  @state() private sources: Partial<Record<Which, string | null>> = {};

  private signedFor = "";
  private readonly again = new Set<ReturnType<typeof setTimeout>>();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.again.forEach(clearTimeout);
    this.again.clear();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (!changed.has("device")) return;
    const { device_id, state, version, since } = this.device;
    const pictured = JSON.stringify([device_id, state, version, since]);
    if (pictured === this.signedFor) return;
    this.signedFor = pictured;
    for (const which of ALL) void this.sign(which);
  }

  private async sign(which: Which): Promise<void> {
    const source = await signImage(this.hass, this.device.device_id, which).catch(() => null);
    this.sources = { ...this.sources, [which]: source };
    if (source === null) this.miss(which);
  }

  private miss(which: Which): void {
    this.sources = { ...this.sources, [which]: null };
    if (!this.isConnected) return;
    const timer = setTimeout(() => {
      this.again.delete(timer);
      void this.sign(which);
    }, AGAIN_MS);
    this.again.add(timer);
  }

  protected override render(): TemplateResult {
    return html`${ALL.map((which) => this.figure(which))}`;
  }

  private figure(which: Which): TemplateResult {
    const { words } = this;
    const source = this.sources[which];
    return html`
      <figure>
        <figcaption>${words.say(`image_${which}`)}</figcaption>
        <div class="frame">
          ${source
            ? html`<img src=${source} alt=${`${words.say(`image_${which}`)}. ${words.say("image_alt")}`} @error=${() => this.miss(which)} />`
            : html`<span>${source === null ? words.say("image_missing") : ""}</span>`}
        </div>
      </figure>
    `;
  }

  static override styles = [
    texts,
    css`
      figure {
        margin: 0 0 12px;
      }

      .frame {
        display: flex;
        align-items: center;
        justify-content: center;
        min-block-size: 80px;
        border: 1px solid var(--divider-color);
        color: var(--secondary-text-color);
      }

      img {
        display: block;
        inline-size: 100%;
      }

      figcaption {
        color: var(--secondary-text-color);
      }
    `,
  ];
}
