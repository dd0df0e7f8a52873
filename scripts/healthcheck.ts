/** Ends with 0 while the line of this environment takes samples: the container's health check; `npm run health`. */
import { request as plain } from "node:http";
import { request as secure } from "node:https";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";

loadDotEnv();
const { host, port } = readEnvironment();
const address = ["0.0.0.0", "::", ""].includes(host) ? "127.0.0.1" : host;

/** Asks for the readiness; its certificate, where it has one, is not this check's business. */
function ask(request: typeof plain, protocol: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port, path: "/health/ready", protocol, timeout: 4_000, rejectUnauthorized: false };
    const question = request(options, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk.slice(0, 1_000);
      });
      answer.on("end", () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
    });
    question.on("timeout", () => question.destroy(new Error("no answer within 4 s")));
    question.on("error", reject).end();
  });
}

try {
  console.log(await ask(plain, "http:").catch(() => ask(secure, "https:")));
} catch (error) {
  console.error(`not ready: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
