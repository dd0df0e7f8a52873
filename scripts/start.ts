/**
 * Starts the line: the embedded database, Node-RED with our flows, the device doors, and (unless told not to) the
 * simulated line. SIGTERM or SIGINT stops it in order, settling what it can.
 */
import "../distribution/heap.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import express from "express";
import { keepCompiledCode, saveCompiledCode } from "../distribution/compile-cache.ts";
import type { Environment } from "../distribution/environment.ts";
import { writeFileAtomic } from "../distribution/files.ts";
import { lineHealth } from "../distribution/line-health.ts";
import { closeProcessLog, processLog } from "../distribution/process-log.ts";
import { isLoopbackHost } from "../nodes/broker/trust.ts";
import type { Database } from "../nodes/timescaledb/database.ts";

const { values: options } = parseArgs({ options: { "edit-flows": { type: "boolean", default: false } } });
if (options["edit-flows"]) process.env.FOIEFLOW_EDIT_FLOWS = "1";

const startedAt = Date.now();
const say = (text: string) => processLog().info(text);

/** Ends with a message an operator can act on, without a stack. */
function refuse(error: unknown): void {
  sayError(error);
  closeProcessLog().finally(() => process.exit(1));
}

/** An environment that cannot be read leaves only the console to say so. */
function sayError(error: unknown): void {
  try {
    processLog().error(error);
  } catch {
    console.error(`FoieFlow: ${error instanceof Error ? error.message : error}`);
  }
}

const simulatedSerial = (dataDir: string) => path.join(dataDir, "simulation", "serial");

async function main(): Promise<void> {
  // The simulated line brings its own serial port, so that all three transports live from the first minute.
  const { readEnvironment, loadDotEnv } = await import("../distribution/environment.ts");
  loadDotEnv();
  const before = readEnvironment();
  keepCompiledCode(before.dataDir);
  const simulatesSerial = before.simulate && before.serialPort === undefined && process.platform === "linux";
  if (simulatesSerial) process.env.SERIAL_PORT = simulatedSerial(before.dataDir);

  const { environment, secrets, settings, flowChanges, guard, newAdminPassword, log } = await import("../settings.ts");
  const { signInRoutes } = await import("../distribution/sign-in-routes.ts");
  const { auditRoutes, peopleRoutes } = await import("../distribution/people-routes.ts");
  const { openServer } = await import("../distribution/tls.ts");
  const { securityHeaders } = await import("../distribution/security-headers.ts");
  const { directDelivery } = await import("../distribution/direct-delivery.ts");
  const { shareAmongReaders } = await import("../distribution/shared-messages.ts");
  const { editorDoor, letEditorSocketIn, takeBack } = await import("../distribution/editor-auth.ts");
  for (const name of flowChanges.kept)
    log.warn(
      `flow ${name} was changed on this site and stays as it is, though the release has a newer one (${path.join("flows", name)})`,
      { code: "flow-kept" },
    );
  if (!environment.tls && !isLoopbackHost(environment.host))
    log.warn(
      `HOST=${environment.host} WITHOUT TLS: passwords, sessions and samples travel in the clear, and whoever listens can use them. Set TLS_CERT and TLS_KEY, or put a proxy with TLS in front`,
      { code: "no-tls" },
    );
  mkdirSync(settings.userDir, { recursive: true, mode: 0o700 });

  const { AuditLog } = await import("@foieflow/node-red-foieflow/audit/log.js");
  const auditLog = new AuditLog(path.join(environment.dataDir, "audit"), (text) => log.warn(text));
  const { databaseService } = await import("@foieflow/node-red-foieflow/timescaledb/service.js");
  const { parseRetention } = await import("@foieflow/node-red-foieflow/timescaledb/retention.js");
  const { closeServices, openServices, servicesOpened } = await import("@foieflow/node-red-foieflow/host/service.js");
  say(environment.databaseUrl ? "connecting to the database …" : "opening the embedded database …");
  const lease = databaseService({
    url: environment.databaseUrl,
    dataDir: environment.dataDir,
    extension: environment.timescaledb,
    retention: parseRetention({}, process.env),
    log: say,
  });
  // It opens beside all that follows: devices need not wait for it to be acknowledged.
  let database: Database | undefined;
  const databaseOpened = lease.value.then(async (opened) => {
    await useDatabase(opened, environment, secrets.databasePassword);
    database = opened;
    auditLog.attach(opened);
  });
  databaseOpened.catch(() => undefined); // met again below
  // What fails at once (another process has it) ends the start before a port is open.
  await Promise.race([databaseOpened, sleep(0)]);

  const { acquireInbox, currentInbox } = await import("@foieflow/node-red-foieflow/inbox/service.js");
  const inboxLease = acquireInbox({ dataDir: environment.dataDir });
  const inbox = await inboxLease.value;
  const { waiting: left } = inbox.stats();
  if (left > 0) say(`${left} messages of the last run wait in the inbox`);

  // Lot, breeder and calibration come from the database: nothing is graded before it is open.
  const giveToFlows = inbox.hold();

  let simulator: ChildProcess | undefined;
  let stopping = false;
  const { default: RED } = await import("node-red");
  const app = express();
  app.disable("x-powered-by");
  app.use(securityHeaders(environment.tls !== undefined));
  const server = openServer(app, environment.tls, log);
  server.on("error", (error: NodeJS.ErrnoException) =>
    refuse(
      error.code === "EADDRINUSE"
        ? `port ${environment.port} on ${environment.host} is in use; set PORT to another one`
        : error,
    ),
  );
  const pages = new Set<Duplex>();
  server.on("upgrade", (request, socket) => {
    if (!request.url?.startsWith("/dashboard/socket.io/")) return;
    pages.add(socket);
    socket.once("close", () => pages.delete(socket));
  });
  RED.init(server, settings as never);
  const health = await lineHealth({
    siteId: environment.site,
    dataDir: environment.dataDir,
    nodeRed: (RED as unknown as { version(): string }).version(), // its types say otherwise
    database: lease.value,
    guard: settings.httpNodeAuth as never,
    metricsToken: environment.metricsToken,
  });
  // Its types leave out what the runtime has.
  const { getNode } = RED.nodes as unknown as { getNode: Parameters<typeof shareAmongReaders>[1] };
  RED.hooks.add("onSend.foieflow", (events) => shareAmongReaders(events, getNode));
  RED.hooks.add("preDeliver.foieflow", directDelivery() as never);
  app.use(health.routes); // before Node-RED's: they answer while flows are deployed
  server.on("upgrade", (request) => letEditorSocketIn(guard, request));
  app.use(signInRoutes(guard));
  app.use(peopleRoutes(guard));
  app.use(auditRoutes(guard, () => database?.pool, environment.timeZone));
  app.use(editorDoor(guard));
  app.use(settings.httpAdminRoot, RED.httpAdmin);
  app.use((request, _response, next) => {
    takeBack(request);
    next();
  });
  app.use(settings.httpNodeRoot, settings.httpNodeAuth as never, RED.httpNode);

  const flowsStarted = new Promise<void>((resolve, reject) => {
    RED.events.once("flows:started", () => resolve());
    RED.events.on("runtime-event", (event: { id?: string; payload?: { error?: string; types?: string[] } }) => {
      if (event.id === "runtime-state" && event.payload?.error === "missing-types")
        reject(new Error(`the flows use node types that are not installed: ${event.payload.types?.join(", ")}`));
    });
  });
  flowsStarted.catch(() => undefined); // it may fail before somebody waits for it below
  if (environment.simulate) {
    simulator = startSimulator(environment, simulatesSerial, () => stopping);
    // Its serial port should be there when the flows look for it.
    const link = simulatedSerial(environment.dataDir);
    for (let n = 0; simulatesSerial && n < 50 && !existsSync(link); n += 1) await sleep(100);
  }
  say("starting Node-RED …");
  await RED.start();
  saveCompiledCode();
  await new Promise<void>((resolve) => server.listen(environment.port, environment.host, resolve));

  const stop = async (signal: string, exitCode = 0): Promise<void> => {
    if (stopping) return;
    stopping = true;
    health.enter("stopping");
    say(`${signal}: stopping …`);
    const forced = setTimeout(() => {
      log.error("did not stop within 30 s, ending now");
      log.close().finally(() => process.exit(1));
    }, 30_000);
    forced.unref();
    simulator?.kill("SIGTERM");
    // Doors first, so that nothing new is acknowledged; then the inbox empties; then flows, then the database.
    await closeServices(openServices().filter((key) => key.startsWith("door:")));
    const waiting = (await currentInbox()?.drain(5000)) ?? 0;
    if (waiting > 0) log.warn(`${waiting} messages stay in the inbox until the next start`);
    // Pages keep what they show, greyed: told of every widget that goes with the flows, they would become empty ones.
    server.close();
    for (const socket of pages) socket.destroy();
    await RED.stop();
    await auditLog.close();
    lease.release();
    inboxLease.release();
    await closeServices(openServices());
    server.closeAllConnections();
    guard.close();
    say("stopped");
    await log.close();
    process.exit(exitCode);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => stop(signal).catch((error) => refuse(error)));
  process.on("uncaughtException", (error) => {
    log.error(`unexpected error: ${error instanceof Error ? error.stack : error}`, { code: "unexpected" });
    stop("unexpected error", 1).catch(() => process.exit(1));
  });

  try {
    await databaseOpened;
  } catch (error) {
    log.error(error);
    await stop("the database did not open", 1);
  }
  giveToFlows();
  try {
    await flowsStarted;
  } catch (error) {
    log.error(error);
    await stop("flows did not start", 1);
  }
  await servicesOpened(10_000); // "running" says that the doors are open
  if (stopping) return;
  health.enter("running");

  const shownHost = ["0.0.0.0", "::"].includes(environment.host) ? "localhost" : environment.host;
  const base = `${environment.tls ? "https" : "http"}://${shownHost.includes(":") ? `[${shownHost}]` : shownHost}:${environment.port}`;
  const lines = [
    `line running (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
    `  dashboard  ${base}/dashboard/line`,
    `  editor     ${base}/   (user admin)`,
  ];
  for (const line of lines) say(line);
  // On a person's console only: never in a file, nor where the console's lines are collected.
  if (newAdminPassword && environment.logFormat === "text")
    console.log(`FoieFlow:   password   ${newAdminPassword}   shown once; "npm run password" makes a new one`);
}

/** The database is open: says which it is, and lets other processes of this machine in. */
async function useDatabase(database: Database, environment: Environment, password: string): Promise<void> {
  if (database.state() === "ready") {
    const { timescaledb, embedded } = database.capabilities;
    const mode = timescaledb ? `TimescaleDB ${timescaledb}` : "PostgreSQL without TimescaleDB (plain tables)";
    say(`database ready: ${mode}${embedded ? ", embedded (for trials and single lines)" : ""}`);
  }
  if (!database.embedded) return;
  const { dbPort, dataDir } = environment;
  await database.embedded.serve({ socket: true, ...(dbPort === undefined ? {} : { port: dbPort, password }) });
  if (dbPort === undefined) return;
  const passwords = path.join(dataDir, "pgpass");
  writeFileAtomic(passwords, `127.0.0.1:${dbPort}:*:foieflow:${password}\n`, 0o600);
  say(`psql: PGPASSFILE=${passwords} psql -h 127.0.0.1 -p ${dbPort} -U foieflow postgres`);
}

/** The simulated line is a process of its own that connects as devices do, and ends when this one is gone. */
function startSimulator(
  environment: { dataDir: string; mqttUrl: string | undefined },
  serial: boolean,
  stopping: () => boolean,
): ChildProcess {
  const script = path.join(import.meta.dirname, "simulate.ts");
  const transports = ["websocket", "mqtt", ...(serial ? ["serial"] : [])];
  const arguments_ = [script, "--quiet", "--devices", String(transports.length), "--transport", transports.join(",")];
  if (serial) arguments_.push("--serial-link", simulatedSerial(environment.dataDir));
  say(
    `simulated line: ${transports.length} devices over ${transports.join(", ")} (FOIEFLOW_SIMULATE=0 switches it off)`,
  );
  const child = spawn(process.execPath, arguments_, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, FOIEFLOW_PARENT: String(process.pid) },
  });
  child.on("exit", (code) => {
    if (!stopping()) processLog().warn(`the simulated line ended (exit ${code})`);
  });
  return child;
}

if (!existsSync(path.join(import.meta.dirname, "../nodes/dist")))
  refuse("not built yet: run npm start or npm run build");
else main().catch(refuse);
