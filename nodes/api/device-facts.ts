import { currentCredentials } from "../broker/credential-store.ts";
import type { DeviceCredential } from "../broker/device-credentials.ts";
import type { Calibrations } from "../calibration/service.ts";
import { PARTS, validityOf } from "../calibration/validity.ts";
import { figures, MISSING_SAMPLES } from "../host/figures.ts";
import type { InboxReport, InboxStats } from "../sample/inbox.ts";
import { Problem } from "./problem.ts";
import type { DeviceRecords } from "./route.ts";
import type { DeviceFactsView } from "./routes/device-board.ts";

/** A calibration that ends within this is expiring, ms. */
const WARN_MS = 24 * 3_600_000;

/** What this process knows of devices: accounts, missing numbers, calibrations, credentials. */
export function deviceRecords(options: {
  stats(): InboxReport;
  calibrations(): Calibrations | undefined;
  nowMs(): number;
}): DeviceRecords {
  return {
    facts(known) {
      const store = currentCredentials();
      const credentials = new Map((store?.list() ?? []).map((one) => [one.deviceId, one]));
      const { byDevice } = options.stats();
      const missing = figures(MISSING_SAMPLES);
      const calibrations = options.calibrations();
      const facts = new Map<string, DeviceFactsView>();
      for (const id of new Set([...known, ...credentials.keys()])) {
        const credential = credentials.get(id);
        facts.set(id, {
          missing: missing[id] ?? 0,
          accounts: accountsOf(byDevice[id]),
          calibration: calibrations ? calibrationOf(calibrations, id, options.nowMs()) : null,
          credential: credential ? credentialView(credential) : null,
        });
      }
      return { facts, credentials: store && store.problem === undefined ? "ready" : "unknown" };
    },
    issue: (deviceId, by) => storeInForce().issue(deviceId, by),
    revoke: (deviceId, by) => storeInForce().revoke(deviceId, by),
  };
}

function storeInForce() {
  const store = currentCredentials();
  if (!store) throw new Problem(503, "no-door", "no door holds the devices' credentials", { retryAfterS: 5 });
  return store;
}

function accountsOf(stats: InboxStats | undefined): DeviceFactsView["accounts"] {
  if (!stats) return null;
  const { received, stored, duplicate, quarantined, discarded } = stats;
  const refused = Object.values(stats.refused).reduce((sum, count) => sum + count, 0);
  return { received, stored, duplicate, quarantined, discarded, refused };
}

/** The parts of the sensors that a device has (where none is known yet: of those it has records of). */
function calibrationOf(calibrations: Calibrations, id: string, nowMs: number): DeviceFactsView["calibration"] {
  const seen = calibrations.devices().find(({ deviceId }) => deviceId === id);
  const records = calibrations.records(id);
  const [tof = null, spectral = null] = PARTS.map((part) => {
    if (calibrations.state !== "ready") return { state: "unknown" as const, valid_until: null, made_by: null };
    const { state, record } = validityOf(records, part, nowMs, WARN_MS);
    const isMeasured = part === "tof" ? seen?.hasTof : seen?.hasSpectral;
    if (state === "missing" && !isMeasured) return null;
    return { state, valid_until: record?.validUntil ?? null, made_by: record?.madeBy ?? null };
  });
  return { tof, spectral };
}

function credentialView({ issuedAt, issuedBy, usedAt, revokedAt, revokedBy }: DeviceCredential) {
  return {
    state:
      revokedAt !== undefined ? ("revoked" as const) : usedAt === undefined ? ("unused" as const) : ("in-use" as const),
    issued_at: issuedAt,
    issued_by: issuedBy,
    used_at: usedAt ?? null,
    revoked_at: revokedAt ?? null,
    revoked_by: revokedBy ?? null,
  };
}
