import { CodedError } from "../host/errors.ts";
import type { AlarmState, Hold } from "./page.ts";

/**
 * What an alarm's state follows from. While it is hidden (held by a person or suppressed by design) `acked` is true; when
 * it shows again with its cause still there, it is a new annunciation.
 */
export interface Standing {
  readonly active: boolean;
  readonly acked: boolean;
  readonly suppressed: boolean;
  readonly hold?: Hold;
}

export type Input =
  | { kind: "raise" | "clear" | "ack" | "suppress" | "unsuppress" | "release" }
  | { kind: "hold"; hold: Hold };

export const NORMAL: Standing = { active: false, acked: true, suppressed: false };

/** The ISA-18.2 state. What a person decided counts before what the design suppresses. */
export function stateOf({ active, acked, suppressed, hold }: Standing): AlarmState {
  if (hold) return hold.kind;
  if (suppressed) return "suppressed";
  if (active) return acked ? "acknowledged" : "unacknowledged";
  return acked ? "normal" : "returned";
}

export function isHidden({ suppressed, hold }: Standing): boolean {
  return suppressed || hold !== undefined;
}

/**
 * The alarm after an input; the same object when nothing changes.
 * @throws CodedError `alarm-nothing-to-acknowledge`, `alarm-out-of-service` (shelving it), `alarm-not-held`
 */
export function next(standing: Standing, input: Input): Standing {
  switch (input.kind) {
    case "raise":
      return standing.active ? standing : { ...standing, active: true, acked: isHidden(standing) };
    case "clear":
      return standing.active ? { ...standing, active: false } : standing;
    case "ack":
      if (standing.acked) throw new CodedError("alarm-nothing-to-acknowledge", "there is nothing to acknowledge");
      return { ...standing, acked: true };
    case "suppress":
      return standing.suppressed ? standing : { ...standing, suppressed: true, acked: true };
    case "unsuppress":
      return standing.suppressed ? shown({ ...standing, suppressed: false }) : standing;
    case "hold":
      if (standing.hold?.kind === "out-of-service" && input.hold.kind === "shelved")
        throw new CodedError("alarm-out-of-service", "the alarm is out of service");
      return { ...standing, hold: input.hold, acked: true };
    case "release": {
      if (!standing.hold) throw new CodedError("alarm-not-held", "the alarm is neither shelved nor out of service");
      const { hold: _, ...free } = standing;
      return shown(free);
    }
  }
}

/** What was hidden and is shown again must be acknowledged anew while its cause is there. */
function shown(standing: Standing): Standing {
  return isHidden(standing) ? standing : { ...standing, acked: !standing.active };
}
