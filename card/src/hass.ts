// The part of Home Assistant's frontend that the card uses.

export interface EntityState {
  state: string;
}

export interface Connection {
  addEventListener(type: "ready", listener: () => void): void;
  removeEventListener(type: "ready", listener: () => void): void;
}

export interface Hass {
  states: Record<string, EntityState | undefined>;
  entities: Record<string, { platform?: string; device_id?: string } | undefined>;
  devices: Record<string, unknown>;
  areas: Record<string, unknown>;
  language: string;
  locale: { language: string; time_format?: string; time_zone?: string };
  config: { time_zone: string };
  user?: { is_admin: boolean };
  connection: Connection;
  hassUrl(path: string): string;
  callWS<T>(message: { type: string; [key: string]: unknown }): Promise<T>;
  callService(
    domain: string,
    service: string,
    data: Record<string, unknown>,
    target: undefined,
    notifyOnError: boolean,
  ): Promise<unknown>;
}

/** What a refused command or service says. */
export interface Refusal {
  code?: string | number;
  message?: string;
}

export function refusalOf(error: unknown): Refusal {
  return typeof error === "object" && error !== null ? (error as Refusal) : { message: String(error) };
}

/** The ids of the integration's entities. */
export function entitiesOf({ entities }: Hass): string[] {
  return Object.keys(entities).filter((id) => entities[id]?.platform === "fwid");
}
