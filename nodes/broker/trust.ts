/**
 * Who may use a device door. Trust follows the bind: a loopback bind opens the doors to this machine, any other bind
 * asks every device for a credential or an address out of `DEVICE_NETS`. Pure: no socket, no Node-RED.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import ipaddr from "ipaddr.js";
import { CodedError } from "../host/errors.ts";
import { isId } from "../sample/ids.ts";

/** Headers of a request as Node gives them (lower-case names). */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

type Network = ReturnType<typeof ipaddr.parseCIDR>;

export interface TrustPolicy {
  /** The bind is loopback: what comes from this machine needs no credential. */
  readonly localOpen: boolean;
  /** SHA-256 of the shared device token; undefined when none is configured. */
  readonly tokenDigest: Buffer | undefined;
  readonly networks: readonly Network[];
  /** The devices' own credentials, as they are now; absent where there are none to ask. */
  readonly credentials?: DeviceTokens | undefined;
}

/** What a policy asks of the devices' own credentials. */
export interface DeviceTokens {
  readonly isEmpty: boolean;
  /** The device a token belongs to. */
  ownerOf(token: string | Uint8Array): string | undefined;
  /** Whether nothing but its own token lets a device in. */
  mustShowOwn(deviceId: string): boolean;
  /** All devices of which that is so. */
  ownOnly(): string[];
  /** Told of a device that came in with its own token. */
  used(deviceId: string): void;
}

/** As `DEVICE_TOKEN`: no shared token, every device needs its own. */
export const NO_SHARED_TOKEN = "off";

export type Verdict =
  | { allowed: true; provenDeviceId?: string; ownToken?: true }
  | { allowed: false; reason: "bad-token" | "own-token-needed" | "no-credential" | "forwarded" | "bad-origin" };

/** How an MQTT client makes itself known. */
export interface Login {
  remoteAddress: string | undefined;
  /** The device's id. */
  username?: string | undefined;
  /** The device's token, or the shared one. */
  password?: string | Uint8Array | undefined;
}

export interface DeviceRequest extends Login {
  /** HTTP headers of an upgrade; absent on MQTT. */
  headers?: Headers;
  /** Token given outright (`?token=`); headers are read for `Authorization`. */
  token?: string | undefined;
  policy: TrustPolicy;
}

const FORWARDED = ["forwarded", "x-real-ip", "via"];

/**
 * Builds the policy of a bind.
 * @param host the address the server listens on; empty or undefined means every interface
 * @param deviceToken shared secret of the devices; empty or `off` means none
 * @param deviceNets CIDR list (commas or spaces) of networks whose devices need no credential; a bare address is one host
 * @param credentials the devices' own tokens
 * @throws CodedError `bad-device-nets` when an entry is not an address or CIDR block
 */
export function trustPolicy(options: {
  host: string | undefined;
  deviceToken?: string | undefined;
  deviceNets?: string | readonly string[] | undefined;
  credentials?: DeviceTokens | undefined;
}): TrustPolicy {
  const token = options.deviceToken?.trim();
  return {
    localOpen: isLoopbackHost(options.host),
    tokenDigest: token && token !== NO_SHARED_TOKEN ? digest(token) : undefined,
    networks: parseNetworks(options.deviceNets),
    ...(options.credentials && { credentials: options.credentials }),
  };
}

function parseNetworks(list: string | readonly string[] | undefined): Network[] {
  const entries = (typeof list === "string" ? list.split(/[\s,;]+/) : [...(list ?? [])])
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return entries.map((entry) => {
    try {
      if (entry.includes("/")) {
        const [network, prefix] = ipaddr.parseCIDR(entry);
        // An IPv4-mapped block is compared as IPv4, like the addresses are.
        if (network.kind() === "ipv6" && "isIPv4MappedAddress" in network && network.isIPv4MappedAddress()) {
          if (prefix < 96) throw new Error("an IPv4-mapped block is at least /96");
          return [network.toIPv4Address(), prefix - 96];
        }
        return [network, prefix];
      }
      const address = ipaddr.process(entry);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    } catch (error) {
      throw new CodedError("bad-device-nets", `"${entry}" is not an IP address or CIDR block`, { cause: error });
    }
  });
}

/** Whether a bind address or host name means this machine only. Empty, `0.0.0.0` and `::` mean every interface. */
export function isLoopbackHost(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host
    .trim()
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
  return name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name);
}

function parseAddress(address: string | undefined): ReturnType<typeof ipaddr.process> | undefined {
  // A zone index (fe80::1%eth0) names the interface, not the peer.
  const bare = address?.replace(/%.*$/, "") ?? "";
  // Octal, hexadecimal and short IPv4 forms are never what a socket reports: read them as unknown.
  if (!bare.includes(":") && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
}

function isLoopbackAddress(address: string | undefined): boolean {
  return parseAddress(address)?.range() === "loopback";
}

function inNetworks(address: string | undefined, networks: readonly Network[]): boolean {
  const peer = parseAddress(address);
  if (!peer) return false;
  return networks.some(([network, prefix]) => peer.kind() === network.kind() && peer.match(network, prefix));
}

function one(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}

/** Whether a proxy stands between (`Forwarded`, `X-Forwarded-*`, `X-Real-IP`, `Via`): then the peer's address proves nothing. */
export function isForwarded(headers: Headers): boolean {
  return Object.keys(headers).some((name) => {
    const lower = name.toLowerCase();
    return FORWARDED.includes(lower) || lower.startsWith("x-forwarded-");
  });
}

/**
 * Whether an HTTP request comes from this machine, spoken to by a loopback name, with no proxy between.
 * The Host check keeps a page of another site from reaching us through a DNS name that points at 127.0.0.1.
 */
export function isLocalRequest(request: { remoteAddress: string | undefined; headers: Headers }): boolean {
  if (!isLoopbackAddress(request.remoteAddress) || isForwarded(request.headers)) return false;
  const host = one(request.headers.host);
  const parsed = host === undefined ? undefined : hostOf(`http://${host}`);
  return parsed !== undefined && isLoopbackHost(parsed.hostname);
}

function hostOf(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

/**
 * Whether the page that opened this connection is ours: no `Origin` (not a browser), or the origin's host and port are
 * those of the `Host` header. `Origin: null` (sandboxed page, file) is refused.
 */
export function originAllowed(headers: Headers): boolean {
  const origin = one(headers.origin);
  if (origin === undefined) return true;
  const from = hostOf(origin);
  const host = one(headers.host);
  if (!from || host === undefined || !/^https?:$/.test(from.protocol)) return false;
  // The Host header is read under the origin's scheme, so that a default port left out on one side still matches.
  const to = hostOf(`${from.protocol}//${host}`);
  return to !== undefined && from.host === to.host;
}

function digest(text: string | Uint8Array): Buffer {
  return createHash("sha256").update(text).digest();
}

function matchesToken(given: string | Uint8Array | undefined, policy: TrustPolicy): boolean {
  // Hashing first makes both sides the same length, as the timing-safe comparison needs.
  return given !== undefined && policy.tokenDigest !== undefined && timingSafeEqual(digest(given), policy.tokenDigest);
}

interface Credential {
  token: string | Uint8Array;
  deviceId?: string;
}

function credentialsOf(request: DeviceRequest): Credential[] {
  const found: Credential[] = [];
  if (request.password !== undefined && request.password.length > 0) {
    found.push({ token: request.password, ...(request.username ? { deviceId: request.username } : {}) });
  }
  if (request.token) found.push({ token: request.token });
  const [scheme, value] = (one(request.headers?.authorization) ?? "").split(/\s+/, 2);
  if (value && scheme?.toLowerCase() === "bearer") found.push({ token: value });
  if (value && scheme?.toLowerCase() === "basic") {
    const text = Buffer.from(value, "base64").toString("utf8");
    const colon = text.indexOf(":");
    if (colon >= 0) {
      const deviceId = text.slice(0, colon);
      found.push({ token: text.slice(colon + 1), ...(deviceId ? { deviceId } : {}) });
    }
  }
  return found;
}

/**
 * Decides whether a device may use a door. A credential that is given must be right, even where none was needed. A
 * device's own token proves its id, and is good under no other name; once it
 * has shown it, the shared token is not for it any more.
 * On a loopback bind a request of this machine is let in; elsewhere (and behind a proxy) a token, or, without a
 * proxy, an address within `DEVICE_NETS`. A user name given with the right token proves the device's id.
 */
export function judgeDevice(request: DeviceRequest): Verdict {
  const { policy, headers } = request;
  if (headers && !originAllowed(headers)) return { allowed: false, reason: "bad-origin" };
  const credentials = credentialsOf(request);
  const own = policy.credentials;
  for (const { token, deviceId } of credentials) {
    const owner = own?.ownerOf(token);
    if (owner === undefined) continue;
    return deviceId === undefined || deviceId === owner
      ? { allowed: true, provenDeviceId: owner, ownToken: true }
      : { allowed: false, reason: "bad-token" };
  }
  const matching = credentials.find((credential) => matchesToken(credential.token, policy));
  if (matching) {
    const { deviceId } = matching;
    if (deviceId === undefined) return { allowed: true };
    if (!isId(deviceId)) return { allowed: false, reason: "bad-token" };
    if (own?.mustShowOwn(deviceId)) return { allowed: false, reason: "own-token-needed" };
    return { allowed: true, provenDeviceId: deviceId };
  }
  // With no token configured there is nothing to be wrong about: a stock client's user name is passed over.
  if (credentials.length > 0 && (policy.tokenDigest || own?.isEmpty === false))
    return { allowed: false, reason: "bad-token" };
  if (headers && isForwarded(headers)) return { allowed: false, reason: "forwarded" };
  const local = headers
    ? isLocalRequest({ remoteAddress: request.remoteAddress, headers })
    : isLoopbackAddress(request.remoteAddress);
  if (policy.localOpen && local) return { allowed: true };
  if (inNetworks(request.remoteAddress, policy.networks)) return { allowed: true };
  return { allowed: false, reason: "no-credential" };
}
