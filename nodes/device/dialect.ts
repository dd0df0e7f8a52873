import type { SpectralReading, TofFeatures, TofFrame } from "../sample/sample.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Timestamp } from "./timestamp.ts";

/** What a message says, before the site adds what only it knows. */
export interface DecodedMessage {
  /** What the bytes are, for decoding them again: `sqal-json`. */
  rawFormat: string;
  deviceId: string;
  sampleId: string;
  measuredAt: Timestamp;
  /** Where the device says it stands, e.g. `Ligne A`. */
  location?: string;
  lotAbattage?: string;
  eleveur?: string;
  provenance?: string;
  firmware?: string;
  temperatureC?: number;
  humidityPercent?: number;
  vl53l8ch?: { frame: TofFrame; features: TofFeatures; claim?: JsonObject };
  as7341?: { reading: SpectralReading; claim?: JsonObject };
  fusionClaim?: Json;
  metadata: JsonObject;
}

/** One form in which devices send samples. A new form is one small file that exports one of these. */
export interface Dialect {
  name: string;
  recognises(message: JsonObject): boolean;
  /** @throws CodedError with a stable code that names the path at fault */
  decode(message: JsonObject): DecodedMessage;
}
