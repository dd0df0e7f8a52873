import type { RawBytes, SpectralReading, TofFeatures, TofFrame } from "../sample/sample.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Timestamp } from "./timestamp.ts";

/** What a message says, before the site adds what only it knows. */
export interface DecodedMessage {
  /** What the bytes are, for decoding them again: `sqal-json`. */
  rawFormat: string;
  deviceId: string;
  /** The device's name for the sample; where it gives none, one is made of its numbers or its bytes. */
  sampleId?: string;
  /** Number or name of the device's start, and of the sample since then: with both, the sample's identity. */
  bootId?: string;
  seq?: number;
  /** The product in view, where the device tells. */
  productId?: string;
  /** Device time; absent, the time of arrival counts. */
  measuredAt?: Timestamp;
  /** Where the device says it stands, e.g. `Ligne A`. */
  location?: string;
  lotAbattage?: string;
  eleveur?: string;
  provenance?: string;
  firmware?: string;
  temperatureC?: number;
  humidityPercent?: number;
  /** `raw`: the sensor's own bytes; absent, the message as it came is kept. */
  vl53l8ch?: { raw?: RawBytes; frame: TofFrame; features: TofFeatures; claim?: JsonObject };
  as7341?: { raw?: RawBytes; reading: SpectralReading; claim?: JsonObject };
  fusionClaim?: Json;
  metadata: JsonObject;
}

export type Encoding = "json" | "cbor";

/** One form in which devices send samples. A new form is one small file that exports one of these. */
export interface Dialect {
  name: string;
  encodings: readonly Encoding[];
  /** Each sample is one whole product. */
  productPerSample: boolean;
  recognises(message: JsonObject): boolean;
  /** @throws CodedError with a stable code that names the path at fault */
  decode(message: JsonObject): DecodedMessage;
}
