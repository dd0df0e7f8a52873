import type { NumberedSample } from "./samples.ts";

/** What a link tells its device. */
export interface LinkEvents {
  /** It is connected (again): whatever was sent before and not acknowledged has to be sent again. */
  ready(): void;
  acknowledged(sampleId: string): void;
}

/** A device's way to the line, which connects again by itself. */
export interface LoadLink {
  open(events: LinkEvents): void;
  /** Sends now, or returns false while that is not possible. */
  send(sample: NumberedSample): boolean;
  close(): Promise<void>;
  /** Send again what was not acknowledged in this time, ms; undefined: only after a reconnection. */
  readonly resendAfterMs?: number;
}
