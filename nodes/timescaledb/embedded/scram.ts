import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { Authenticator } from "./connection.ts";
import { cString, int32, message } from "./protocol.ts";

const ITERATIONS = 4096;
const MECHANISM = "SCRAM-SHA-256";

/** What has to be known to check a password; the password itself does not. */
export interface Verifier {
  user: string;
  salt: Buffer;
  storedKey: Buffer;
  serverKey: Buffer;
}

const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
const hash = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();

/** Derives the verifier of a password (RFC 5802, 3). */
export async function makeVerifier(user: string, password: string): Promise<Verifier> {
  const salt = randomBytes(16);
  const salted = await promisify(pbkdf2)(password.normalize("NFKC"), salt, ITERATIONS, 32, "sha256");
  return { user, salt, storedKey: hash(hmac(salted, "Client Key")), serverKey: hmac(salted, "Server Key") };
}

const authentication = (code: number, ...data: (Buffer | string)[]): Buffer => message("R", int32(code), ...data);

/**
 * The server's half of SCRAM-SHA-256 as PostgreSQL speaks it (RFC 5802, RFC 7677), without channel binding.
 * @param penalty waited for before a wrong password is answered
 */
export function scramAuthenticator(verifier: Verifier, penalty: () => Promise<void>): Authenticator {
  let user = "";
  let bare = "";
  let header = "";
  let nonce = "";
  let serverFirst = "";

  const refuse = async (): Promise<{ refused: string }> => {
    await penalty();
    return { refused: `password authentication failed for user ${JSON.stringify(user)}` };
  };

  const first = async (response: Buffer) => {
    const mechanism = cString(response, 0);
    const text = response.toString("utf8", mechanism.next + 4);
    const parts = /^((?:n|y),[^,]*,)((?:n=([^,]*)),r=([\x21-\x2b\x2d-\x7e]+).*)$/s.exec(text);
    if (mechanism.value !== MECHANISM || !parts) return refuse();
    header = parts[1] ?? "";
    bare = parts[2] ?? "";
    nonce = (parts[4] ?? "") + randomBytes(18).toString("base64");
    serverFirst = `r=${nonce},s=${verifier.salt.toString("base64")},i=${ITERATIONS}`;
    return { send: authentication(11, serverFirst) };
  };

  const final = async (response: Buffer) => {
    const parts = /^(c=([^,]*),r=([^,]*)),p=([^,]*)$/.exec(response.toString("utf8"));
    const proof = Buffer.from(parts?.[4] ?? "", "base64");
    if (!parts || parts[3] !== nonce || proof.length !== 32) return refuse();
    if (Buffer.from(parts[2] ?? "", "base64").toString("utf8") !== header) return refuse();
    const signed = `${bare},${serverFirst},${parts[1]}`;
    const clientSignature = hmac(verifier.storedKey, signed);
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (clientSignature[index] ?? 0)));
    const right = timingSafeEqual(hash(clientKey), verifier.storedKey);
    if (!right || user !== verifier.user) return refuse();
    const proofOfServer = `v=${hmac(verifier.serverKey, signed).toString("base64")}`;
    return { send: authentication(12, proofOfServer), done: true };
  };

  return {
    begin(name) {
      user = name;
      return authentication(10, MECHANISM, "\0\0");
    },
    next: (response) => (serverFirst === "" ? first(response) : final(response)),
  };
}
