/**
 * The people who may sign in: `npm run people -- list`, `add NAME ROLE`, `role NAME ROLE`, `password NAME`, `disable NAME`,
 * `enable NAME`. Passwords are typed at the terminal or read from standard input, never an argument. Takes effect at once
 * on the running line.
 */
import { userInfo } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import Table from "cli-table3";
import { roleOf } from "../distribution/accounts.ts";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { readablePassword } from "../distribution/passwords.ts";
import { openAccounts } from "../distribution/people-setup.ts";
import { Segments } from "../nodes/audit/segments.ts";
import { ROLES } from "../nodes/sample/roles.ts";

const USAGE = `usage: npm run people -- list
       npm run people -- add NAME ROLE        ROLE: ${ROLES.join(", ")}
       npm run people -- role NAME ROLE
       npm run people -- password NAME        --random: make one and show it
       npm run people -- disable NAME
       npm run people -- enable NAME
The password is asked at the terminal, or read as one line from standard input.`;

loadDotEnv();
const { dataDir } = readEnvironment();
const isRandom = process.argv.includes("--random");
const [command = "list", name = "", role = ""] = process.argv.slice(2).filter((word) => word !== "--random");

/** The new password: typed twice without showing, one line of standard input, or (`--random`) made and shown. */
async function newPassword(): Promise<string> {
  if (isRandom) {
    const made = readablePassword();
    console.log(`password   ${made}   (shown once)`);
    return made;
  }
  if (!process.stdin.isTTY) {
    for await (const line of createInterface({ input: process.stdin })) return line;
    throw new Error("no password on standard input");
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const ask = async (question: string): Promise<string> => {
    process.stdout.write(question);
    const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
    const answer = await terminal.question("");
    terminal.close();
    process.stdout.write("\n");
    return answer;
  };
  const password = await ask("New password: ");
  if ((await ask("Once more: ")) !== password) throw new Error("the two are not the same");
  return password;
}

/** Whoever may run a command on this machine is its administrator. */
async function noteChange(what: string, after: object): Promise<void> {
  const segments = new Segments(path.join(dataDir, "audit"), console.warn);
  const who = { name: `${userInfo().username} (console)`, role: "admin" };
  segments.add({ action: `people.${what}`, who, target: name, result: "done", from: "console", after });
  await segments.close();
}

async function run(): Promise<string> {
  const accounts = openAccounts(dataDir);
  if (accounts.isEmpty) throw new Error(`nobody has an account in ${dataDir} yet: run npm start first`);
  if (command === "list") {
    const table = new Table({ head: ["name", "role", "state", "changed"], style: { head: [], border: [] } });
    for (const { name, role, disabled, changedAt } of accounts.list())
      table.push([name, role, disabled ? "disabled" : "", changedAt.slice(0, 16).replace("T", " ")]);
    return table.toString();
  }
  if (name === "") throw new Error(USAGE);
  switch (command) {
    case "add": {
      const { name: added } = accounts.add(name, roleOf(role), await newPassword());
      await noteChange("add", { role });
      return `${added} may sign in (${role})`;
    }
    case "role": {
      const before = accounts.find(name)?.role;
      accounts.setRole(name, roleOf(role));
      await noteChange("role", { before, role });
      return `${name} is ${role} now`;
    }
    case "password":
      accounts.setPassword(name, await newPassword());
      await noteChange("password", {});
      return `${name} has a new password; their sessions are over`;
    case "disable":
    case "enable":
      accounts.setDisabled(name, command === "disable");
      await noteChange(command, {});
      return command === "disable"
        ? `${name} can no longer sign in; their sessions are over`
        : `${name} may sign in again`;
    default:
      throw new Error(USAGE);
  }
}

try {
  console.log(await run());
} catch (error) {
  console.error(`FoieFlow: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
