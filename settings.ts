import path from "node:path";
import { editorAuth } from "./distribution/editor-auth.ts";
import { exportToFlows, loadDotEnv, readEnvironment, root } from "./distribution/environment.ts";
import type { FlowNode } from "./distribution/flow-files.ts";
import { FlowStore } from "./distribution/flow-store.ts";
import { nodeRedAudit } from "./distribution/node-red-audit.ts";
import { nodeRedLogging } from "./distribution/node-red-log.ts";
import { flowStorage } from "./distribution/node-red-storage.ts";
import { openPeople } from "./distribution/people-setup.ts";
import { processLog } from "./distribution/process-log.ts";
import { repairFiles, repairFlows } from "./distribution/repair.ts";
import { openSecrets } from "./distribution/secrets.ts";
import { shareEmits } from "./distribution/shared-emit.ts";
import { registerPeopleGuard } from "./nodes/host/people-guard.ts";

loadDotEnv();
export const environment = readEnvironment();
exportToFlows(environment);
export const log = processLog(environment);
for (const { message, code, file } of repairFiles(environment.dataDir)) log.warn(message, { code, file });
export const secrets = openSecrets(environment.dataDir);
process.env.DEVICE_TOKEN = secrets.deviceToken;
log.hide(secrets.deviceToken, secrets.credentialSecret, secrets.sessionSecret, secrets.databasePassword);
export const { guard, newAdminPassword } = openPeople(environment, secrets, (text) => log.warn(text));
registerPeopleGuard(guard);
log.hide(environment.metricsToken, newAdminPassword, process.env.FOIEFLOW_ADMIN_PASSWORD);

// `npm run dev` edits the flows of the release; a site edits its own copy, which follows the release where unchanged.
const shippedFlows = new FlowStore(path.join(root, "flows"));
const editsRelease = process.env.FOIEFLOW_EDIT_FLOWS === "1";
const flows = editsRelease ? shippedFlows : new FlowStore(path.join(environment.dataDir, "flows"));
if (!editsRelease)
  for (const { message, code, file } of repairFlows(environment.dataDir, shippedFlows.readFiles()))
    log.warn(message, { code, file });
export const flowChanges = editsRelease ? { updated: [], kept: [] } : flows.follow(shippedFlows.readFiles());

/** Without SERIAL_PORT the stock serial nodes would retry an empty path for ever: they rest, unchanged in the files. */
function withoutDevice(flow: readonly FlowNode[]): Set<string> {
  if (environment.serialPort !== undefined) return new Set();
  const ports = new Set(
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Node-RED's own notation for an environment variable
    flow.filter((node) => node.type === "serial-port" && node.serialport === "${SERIAL_PORT}").map((node) => node.id),
  );
  const users = flow.filter((node) => typeof node.serial === "string" && ports.has(node.serial));
  return new Set(users.map((node) => node.id));
}

const settings = {
  uiHost: environment.host,
  uiPort: environment.port,
  httpAdminRoot: "/",
  httpNodeRoot: "/",
  userDir: path.join(environment.dataDir, "node-red"),
  nodesDir: [path.join(root, "nodes"), path.join(root, "dashboards")],
  flowFile: "flows.json",
  flowFilePretty: true,
  storageModule: flowStorage(flows, secrets.credentialSecret, withoutDevice),
  credentialSecret: secrets.credentialSecret,
  adminAuth: editorAuth(guard),
  httpNodeAuth: guard.middleware,
  dashboard: {
    middleware: guard.middleware,
    ioMiddleware: [guard.socketMiddleware, shareEmits],
    maxHttpBufferSize: 256 * 1024,
  },
  serialReconnectTime: 3_000,
  apiMaxLength: "5mb",
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { palette: { allowInstall: false, allowUpload: false }, modules: { allowInstall: false } },
  functionExternalModules: false,
  editorTheme: {
    page: { title: "FoieFlow" },
    header: { title: "FoieFlow" },
    tours: false,
    projects: { enabled: false },
    palette: { categories: ["FoieFlow", "subflows", "common", "function", "network", "sequence", "parser", "storage"] },
  },
  logging: { ...nodeRedLogging(log, environment.logFileLevel), audit: nodeRedAudit(guard.accounts) },
  ...(process.env.FOIEFLOW_LANG ? { lang: process.env.FOIEFLOW_LANG } : {}),
};

// Node-RED requires() this file and assigns to what it gets: the object itself must be the module.
export { settings, settings as "module.exports" };
