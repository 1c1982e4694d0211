// Keeps the card's devices and their histories as the integration has them: asks at first, again when
// an entity of theirs or the registry changed, and again when the connection came back.

import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Connection, Hass, Refusal } from "./hass";
import { entitiesOf, refusalOf } from "./hass";
import type { Device, History } from "./model";
import { askDevices, askHistory } from "./model";

/** Several entities change at once when something happened: they are waited for. */
const GATHER_MS = 300;
const RETRY_MS = 30_000;

interface Host extends ReactiveControllerHost {
  hass?: Hass;
  hasUpdated: boolean;
  /** Which devices need a history. */
  drawn(devices: readonly Device[]): readonly Device[];
}

export class DevicesController implements ReactiveController {
  devices: readonly Device[] | null = null;
  failure: Refusal | null = null;
  readonly histories = new Map<string, History>();

  /** What a device was like when its history was asked for. */
  private readonly drawnAt = new Map<string, string>();
  private connection: Connection | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;
  private askAgain = false;

  constructor(private readonly host: Host) {
    host.addController(this);
  }

  hostConnected(): void {
    // At first the card's first update asks; here it came back to a page that it had left.
    if (this.host.hass && this.host.hasUpdated) this.listen(this.host.hass.connection);
  }

  hostDisconnected(): void {
    clearTimeout(this.timer);
    this.connection?.removeEventListener("ready", this.refresh);
    this.connection = null;
  }

  /** Whether what the card shows depends on a difference between the two. */
  concerns(now: Hass, before: Hass | undefined): boolean {
    return (
      !before ||
      now.language !== before.language ||
      now.locale !== before.locale ||
      now.user !== before.user ||
      this.moved(now, before)
    );
  }

  hassChanged(now: Hass, before: Hass | undefined): void {
    if (this.connection !== now.connection) this.listen(now.connection);
    else if (now.language !== before?.language) this.refresh();
    else if (this.moved(now, before)) this.refreshIn(GATHER_MS);
  }

  private listen(connection: Connection): void {
    this.connection?.removeEventListener("ready", this.refresh);
    this.connection = connection;
    connection.addEventListener("ready", this.refresh);
    this.refresh();
  }

  readonly refresh = (): void => {
    void this.ask();
  };

  private refreshIn(milliseconds: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.refresh, milliseconds);
  }

  private moved(now: Hass, before: Hass): boolean {
    return (
      now.devices !== before.devices ||
      now.areas !== before.areas ||
      this.watched(now).some((id) => now.states[id] !== before.states[id])
    );
  }

  /** The entities that tell of news; all of the integration where its devices are not known yet. */
  private watched(hass: Hass): readonly string[] {
    if (!this.devices?.length) return entitiesOf(hass);
    return this.devices
      .flatMap((device) => [device.entity_id, device.event_entity_id, device.accept_entity_id])
      .filter((id) => id !== null);
  }

  /** One question at a time; one that comes meanwhile is asked afterwards. */
  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    if (this.asking) {
      this.askAgain = true;
      return;
    }
    this.asking = true;
    do {
      this.askAgain = false;
      await this.askOnce();
    } while (this.askAgain && this.connection);
    this.asking = false;
  }

  private async askOnce(): Promise<void> {
    const { hass } = this.host;
    if (!hass) return;
    try {
      this.devices = await askDevices(hass);
      this.failure = null;
      this.host.requestUpdate();
    } catch (error) {
      this.failure = refusalOf(error);
      this.host.requestUpdate();
      if (this.connection) this.refreshIn(RETRY_MS);
      return;
    }
    for (const device of this.host.drawn(this.devices)) {
      if (this.askAgain || !this.connection) return;
      await this.askHistoryOf(hass, device);
    }
  }

  private async askHistoryOf(hass: Hass, device: Device): Promise<void> {
    const { device_id, state, version, label, since, similarity, effect_size, reasons } = device;
    const likeness = JSON.stringify([
      hass.language, state, version, label, since, similarity, effect_size, reasons,
    ]);
    if (this.drawnAt.get(device_id) === likeness) return;
    try {
      this.histories.set(device_id, await askHistory(hass, device_id));
      this.drawnAt.set(device_id, likeness);
      this.host.requestUpdate();
    } catch {
      // A row without a line says enough; the detail tells what is wrong when it asks itself.
    }
  }
}
