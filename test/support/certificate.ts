import { execFileSync } from "node:child_process";
import path from "node:path";

/** Makes `cert.pem` and `key.pem` for this machine in a directory, vouched for by nobody. @returns false where there is no openssl */
export function makeCertificate(directory: string): boolean {
  const file = (name: string) => path.join(directory, name);
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file("key.pem")];
  try {
    execFileSync("openssl", ["req", "-x509", ...key, "-out", file("cert.pem"), "-days", "2", ...names], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
