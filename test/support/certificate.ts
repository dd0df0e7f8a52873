import { execFileSync } from "node:child_process";
import path from "node:path";

/**
 * Makes a certificate for this machine, vouched for by nobody: `<name>.pem` and `<name>.key` in a directory.
 * @returns false where there is no openssl
 */
export function makeCertificate(directory: string, name: string): boolean {
  const file = (suffix: string) => path.join(directory, `${name}.${suffix}`);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file("key")];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  try {
    execFileSync("openssl", ["req", "-x509", ...key, "-out", file("pem"), "-days", "2", ...names], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
