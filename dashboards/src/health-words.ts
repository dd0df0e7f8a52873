import type { JobStatus, Trouble, TroubleCode } from "@foieflow/node-red-foieflow/health/snapshot.js";
import type { Language } from "./settings.ts";

/** Figures in the reader's language. */
export interface Formats {
  number(value: number): string;
  bytes(value: number): string;
  ms(value: number): string;
  /** Of an age in ms. */
  age(ms: number): string;
}

/** What is wrong, and what to do about it. */
export interface TroubleWords {
  what(trouble: Trouble, formats: Formats): string;
  todo: string;
}

/** Everything the health page says. */
export interface HealthWords {
  well: string;
  wellHelp: string;
  troubles: string;
  loading: string;
  backlog: string;
  entries(count: string): string;
  oldest: string;
  inFlow: string;
  inWriter: string;
  nothingWaits: string;
  accounts: string;
  equation: string;
  balances: string;
  differs(count: string): string;
  columns: Record<"received" | "stored" | "duplicate" | "quarantined" | "discarded" | "waiting" | "difference", string>;
  all: string;
  byTransport: string;
  byDevice: string;
  unknownDevice: string;
  otherDevices: string;
  refused: string;
  noRefusals: string;
  refusals: Record<string, string>;
  writer: string;
  rowsPerS: string;
  samplesPerS: string;
  batchTimes: string;
  lastBatch(rows: string, time: string): string;
  noBatch: string;
  loop: string;
  loopHelp: string;
  busy: string;
  database: string;
  states: Record<string, string>;
  modes: Record<"embedded" | "server", string>;
  plain: string;
  since: string;
  size: string;
  wal: string;
  checkpoint: string;
  fsyncs: string;
  recoveries: string;
  lastFailure(text: string): string;
  readAt: string;
  notRead: string;
  jobs: string;
  noJobs: string;
  jobStates: Record<JobStatus, string>;
  jobKinds: Record<string, string>;
  jobBy: Record<"database" | "foieflow", string>;
  failures(count: number, runs: number): string;
  store: string;
  storeStates: Record<string, string>;
  damaged: string;
  repairs: string;
  commits: string;
  quarantine: string;
  machine: string;
  disk: string;
  of(total: string): string;
  memory: string;
  freeMemory: string;
  uptime: string;
  versions: string;
  never: string;
  problems: Record<TroubleCode, TroubleWords>;
}

const value = (trouble: Trouble, name: string) => trouble.values[name] ?? 0;
/** A count with the word for one or for more. */
const counted = (formats: Formats, trouble: Trouble, name: string, one: string, more: string) => {
  const count = value(trouble, name);
  return `${formats.number(count)} ${count < 2 ? one : more}`;
};

export const HEALTH_WORDS: Record<Language, HealthWords> = {
  fr: {
    well: "Tout va bien",
    wellHelp: "Les mesures arrivent, sont enregistrées, et les comptes sont justes.",
    troubles: "À régler",
    loading: "En attente des mesures…",
    backlog: "En attente",
    entries: (count) => `${count} messages`,
    oldest: "Le plus ancien",
    inFlow: "Dans le flow",
    inWriter: "Chez l’enregistreur",
    nothingWaits: "Rien n’attend",
    accounts: "Comptes",
    equation: "reçus = enregistrés + doublons + quarantaine + écartés + en attente",
    balances: "Les comptes sont justes",
    differs: (count) => `Écart de ${count}`,
    columns: {
      received: "Reçus",
      stored: "Enregistrés",
      duplicate: "Doublons",
      quarantined: "Quarantaine",
      discarded: "Écartés",
      waiting: "En attente",
      difference: "Écart",
    },
    all: "Tous",
    byTransport: "Par transport",
    byDevice: "Par capteur",
    unknownDevice: "pas encore connu",
    otherDevices: "autres",
    refused: "Refusés à la porte",
    noRefusals: "Aucun refus depuis le démarrage",
    refusals: {
      "inbox-full": "Boîte d’entrée pleine",
      "disk-full": "Disque plein",
      oversize: "Message trop grand",
      "bad-token": "Mauvais identifiant",
      "no-credential": "Sans identifiant",
      forwarded: "Venu par un relais",
      "bad-origin": "Page d’un autre site",
      "inbox-closed": "Ligne à l’arrêt",
      noise: "Parasites sur la liaison série",
      "bad-frame": "Trame série abîmée",
      "bad-packet": "Paquet MQTT non valable",
      "bad-client-id": "Nom de client MQTT non valable",
      "forbidden-topic": "Sujet MQTT interdit",
      "subscription-refused": "Abonnement refusé",
      "too-many-subscriptions": "Trop d’abonnements",
      "too-many-connections": "Trop de connexions",
      "identity-mismatch": "Se fait passer pour un autre",
      "accept-failed": "Acceptation impossible",
      "acks-unread": "Accusés de réception non lus",
      "acks-unsent": "Accusés de réception non envoyés",
      other: "Autre motif",
    },
    writer: "Enregistrement",
    rowsPerS: "lignes/s",
    samplesPerS: "mesures/s",
    batchTimes: "Durée d’un lot",
    lastBatch: (rows, time) => `Dernier lot : ${rows} lignes en ${time}`,
    noBatch: "Aucun lot depuis le démarrage",
    loop: "Boucle d’évènements",
    loopHelp: "retard du programme, dernière minute",
    busy: "occupée",
    database: "Base de données",
    states: {
      connecting: "Connexion…",
      ready: "Prête",
      away: "Injoignable",
      closed: "Fermée",
      none: "Aucune",
    },
    modes: { embedded: "dans le programme", server: "serveur" },
    plain: "sans TimescaleDB",
    since: "Depuis",
    size: "Taille",
    wal: "Journal à reporter",
    checkpoint: "Dernier report",
    fsyncs: "Écritures forcées",
    recoveries: "Reprises du moteur",
    lastFailure: (text) => `Dernière panne : ${text}`,
    readAt: "lu",
    notRead: "Pas encore lu",
    jobs: "Tâches de fond",
    noJobs: "Aucune tâche n’a encore tourné",
    jobStates: { ok: "À jour", failed: "Échec", overdue: "En retard", running: "En cours", never: "Pas encore" },
    jobKinds: {
      retention: "Effacement des anciennes données",
      compression: "Compression",
      refresh: "Statistiques",
      statistics: "Statistiques tardives",
    },
    jobBy: { database: "par la base", foieflow: "par FoieFlow" },
    failures: (count, runs) => `${count} échec${count > 1 ? "s" : ""} sur ${runs}`,
    store: "Boîte d’entrée",
    storeStates: {
      open: "Ouverte",
      full: "Pleine",
      "disk-full": "Disque plein",
      failed: "En panne",
      closed: "Fermée",
    },
    damaged: "Abîmés",
    repairs: "Réparé au démarrage",
    commits: "Écriture sur disque",
    quarantine: "Quarantaine",
    machine: "Machine",
    disk: "Disque libre",
    of: (total) => `sur ${total}`,
    memory: "Mémoire du programme",
    freeMemory: "Mémoire libre",
    uptime: "En marche depuis",
    versions: "Versions",
    never: "jamais",
    problems: {
      "inbox-failed": {
        what: () => "La boîte d’entrée est en panne : rien n’est accepté.",
        todo: "Regardez le journal, vérifiez le disque, puis redémarrez. Les capteurs gardent leurs mesures s’ils le peuvent.",
      },
      "inbox-disk-full": {
        what: (trouble, formats) =>
          `Le disque est plein : rien n’est accepté (${formats.number(value(trouble, "entries"))} en attente).`,
        todo: "Libérez de la place ; la ligne reprend d’elle-même.",
      },
      "inbox-full": {
        what: (trouble, formats) =>
          `La boîte d’entrée est pleine : ${formats.number(value(trouble, "entries"))} messages, ${formats.bytes(value(trouble, "bytes"))}.`,
        todo: "Elle se vide quand la base de données suit ; cherchez pourquoi elle ne suit pas.",
      },
      "database-none": {
        what: () => "Aucune base de données : rien n’est enregistré.",
        todo: "Vérifiez DATABASE_URL ou le dossier de données, puis redémarrez.",
      },
      "database-away": {
        what: (trouble, formats) =>
          `La base de données est injoignable ; ${formats.number(value(trouble, "entries"))} mesures attendent, rien n’est perdu.`,
        todo: "Redémarrez la base ou le réseau ; la ligne reprend d’elle-même.",
      },
      unbalanced: {
        what: (trouble, formats) =>
          `Les comptes de ${trouble.subject ?? ""} ne sont pas justes : écart de ${formats.number(value(trouble, "difference"))}.`,
        todo: "Notez l’heure et signalez-le avec les journaux : cela ne doit jamais arriver.",
      },
      "disk-full": {
        what: (trouble, formats) =>
          `Le disque est presque plein : ${formats.bytes(value(trouble, "freeBytes"))} libres.`,
        todo: "Libérez de la place maintenant, sinon la ligne cessera d’accepter.",
      },
      "disk-low": {
        what: (trouble, formats) => `Il reste ${formats.bytes(value(trouble, "freeBytes"))} sur le disque.`,
        todo: "Libérez de la place ou raccourcissez la durée de conservation.",
      },
      "backlog-old": {
        what: (trouble, formats) =>
          `Des mesures attendent depuis ${formats.age(1000 * value(trouble, "ageS"))} (${formats.number(value(trouble, "entries"))}).`,
        todo: "La base de données ou le flow ne suit pas : regardez les lots et les fils du flow.",
      },
      "inbox-damaged": {
        what: (trouble, formats) =>
          `Abîmés dans la boîte d’entrée et mis de côté : ${counted(formats, trouble, "entries", "message", "messages")}.`,
        todo: "Vérifiez le disque et l’alimentation de la machine.",
      },
      "inbox-repaired": {
        what: (trouble, formats) =>
          `La boîte d’entrée a été réparée au démarrage (${formats.number(value(trouble, "repairs"))}).`,
        todo: "Lisez ce qui a été fait, plus bas ; vérifiez l’alimentation de la machine.",
      },
      "embedded-recovered": {
        what: (trouble, formats) =>
          `Le moteur de la base est tombé ${formats.number(value(trouble, "recoveries"))} fois et a repris.`,
        todo: "Rien n’est perdu. Si cela se répète, signalez-le avec les journaux.",
      },
      "job-failed": {
        what: (trouble) => `La tâche ${trouble.subject ?? ""} a échoué.`,
        todo: "Lisez son erreur, plus bas ; elle sera retentée.",
      },
      "job-overdue": {
        what: (trouble) => `La tâche ${trouble.subject ?? ""} est en retard.`,
        todo: "Vérifiez que la base répond ; redémarrez si cela dure.",
      },
      "event-loop-slow": {
        what: (trouble, formats) => `Le programme est lent : retard de ${formats.ms(value(trouble, "p99Ms"))}.`,
        todo: "Un nœud du flow calcule trop longtemps, ou la machine est trop chargée.",
      },
      "memory-low": {
        what: (trouble, formats) => `Il reste ${formats.bytes(value(trouble, "freeBytes"))} de mémoire sur la machine.`,
        todo: "Fermez ce qui n’a rien à faire sur cette machine.",
      },
      refusals: {
        what: (trouble, formats) =>
          `${formats.number(value(trouble, "refused"))} messages refusés à la porte depuis le démarrage.`,
        todo: "Voyez les motifs, plus bas : identifiants, taille, place.",
      },
      "quarantine-open": {
        what: (trouble, formats) =>
          `${counted(formats, trouble, "open", "message en quarantaine attend", "messages en quarantaine attendent")} une décision.`,
        todo: "Ouvrez la page Quarantaine.",
      },
    },
  },
  en: {
    well: "All is well",
    wellHelp: "Samples arrive and are stored, and the accounts balance.",
    troubles: "To be seen to",
    loading: "Waiting for figures…",
    backlog: "Waiting",
    entries: (count) => `${count} messages`,
    oldest: "The oldest",
    inFlow: "In the flow",
    inWriter: "With the writer",
    nothingWaits: "Nothing is waiting",
    accounts: "Accounts",
    equation: "received = stored + duplicates + quarantined + discarded + waiting",
    balances: "The accounts balance",
    differs: (count) => `Off by ${count}`,
    columns: {
      received: "Received",
      stored: "Stored",
      duplicate: "Duplicates",
      quarantined: "Quarantined",
      discarded: "Discarded",
      waiting: "Waiting",
      difference: "Off by",
    },
    all: "All",
    byTransport: "By transport",
    byDevice: "By device",
    unknownDevice: "not known yet",
    otherDevices: "others",
    refused: "Refused at the door",
    noRefusals: "No refusal since the start",
    refusals: {
      "inbox-full": "Inbox full",
      "disk-full": "Disk full",
      oversize: "Message too large",
      "bad-token": "Wrong credential",
      "no-credential": "No credential",
      forwarded: "Came through a proxy",
      "bad-origin": "Another site's page",
      "inbox-closed": "Line stopped",
      noise: "Noise on the serial link",
      "bad-frame": "Serial frame damaged",
      "bad-packet": "MQTT packet not valid",
      "bad-client-id": "MQTT client name not valid",
      "forbidden-topic": "Forbidden MQTT topic",
      "subscription-refused": "Subscription refused",
      "too-many-subscriptions": "Too many subscriptions",
      "too-many-connections": "Too many connections",
      "identity-mismatch": "Passing for another",
      "accept-failed": "Could not be accepted",
      "acks-unread": "Acknowledgements not read",
      "acks-unsent": "Acknowledgements not sent",
      other: "Other reason",
    },
    writer: "Storing",
    rowsPerS: "rows/s",
    samplesPerS: "samples/s",
    batchTimes: "Time of a batch",
    lastBatch: (rows, time) => `Last batch: ${rows} rows in ${time}`,
    noBatch: "No batch since the start",
    loop: "Event loop",
    loopHelp: "delay of the program, last minute",
    busy: "busy",
    database: "Database",
    states: { connecting: "Connecting…", ready: "Ready", away: "Away", closed: "Closed", none: "None" },
    modes: { embedded: "inside the program", server: "server" },
    plain: "without TimescaleDB",
    since: "Since",
    size: "Size",
    wal: "Log to be checkpointed",
    checkpoint: "Last checkpoint",
    fsyncs: "Forced writes",
    recoveries: "Engine recoveries",
    lastFailure: (text) => `Last failure: ${text}`,
    readAt: "read",
    notRead: "Not read yet",
    jobs: "Background jobs",
    noJobs: "No job has run yet",
    jobStates: { ok: "Up to date", failed: "Failed", overdue: "Overdue", running: "Running", never: "Not yet" },
    jobKinds: {
      retention: "Dropping old data",
      compression: "Compression",
      refresh: "Statistics",
      statistics: "Late statistics",
    },
    jobBy: { database: "by the database", foieflow: "by FoieFlow" },
    failures: (count, runs) => `${count} failure${count > 1 ? "s" : ""} in ${runs}`,
    store: "Inbox",
    storeStates: { open: "Open", full: "Full", "disk-full": "Disk full", failed: "Failed", closed: "Closed" },
    damaged: "Damaged",
    repairs: "Repaired at the start",
    commits: "Writing to disk",
    quarantine: "Quarantine",
    machine: "Machine",
    disk: "Free disk",
    of: (total) => `of ${total}`,
    memory: "Memory of the program",
    freeMemory: "Free memory",
    uptime: "Running for",
    versions: "Versions",
    never: "never",
    problems: {
      "inbox-failed": {
        what: () => "The inbox has failed: nothing is accepted.",
        todo: "Look at the log, check the disk, then restart. Devices keep their samples if they can.",
      },
      "inbox-disk-full": {
        what: (trouble, formats) =>
          `The disk is full: nothing is accepted (${formats.number(value(trouble, "entries"))} waiting).`,
        todo: "Make room; the line goes on by itself.",
      },
      "inbox-full": {
        what: (trouble, formats) =>
          `The inbox is full: ${formats.number(value(trouble, "entries"))} messages, ${formats.bytes(value(trouble, "bytes"))}.`,
        todo: "It empties when the database keeps up; find out why it does not.",
      },
      "database-none": {
        what: () => "There is no database: nothing is stored.",
        todo: "Check DATABASE_URL or the data directory, then restart.",
      },
      "database-away": {
        what: (trouble, formats) =>
          `The database is away; ${formats.number(value(trouble, "entries"))} samples wait, nothing is lost.`,
        todo: "Restart the database or the network; the line goes on by itself.",
      },
      unbalanced: {
        what: (trouble, formats) =>
          `The accounts of ${trouble.subject ?? ""} do not balance: off by ${formats.number(value(trouble, "difference"))}.`,
        todo: "Note the time and report it with the logs: this must never be.",
      },
      "disk-full": {
        what: (trouble, formats) => `The disk is almost full: ${formats.bytes(value(trouble, "freeBytes"))} free.`,
        todo: "Make room now, or the line will stop accepting.",
      },
      "disk-low": {
        what: (trouble, formats) => `${formats.bytes(value(trouble, "freeBytes"))} are left on the disk.`,
        todo: "Make room, or keep raw data for a shorter time.",
      },
      "backlog-old": {
        what: (trouble, formats) =>
          `Samples have waited for ${formats.age(1000 * value(trouble, "ageS"))} (${formats.number(value(trouble, "entries"))}).`,
        todo: "The database or the flow does not keep up: look at the batches and the wires of the flow.",
      },
      "inbox-damaged": {
        what: (trouble, formats) =>
          `Damaged in the inbox and set aside: ${counted(formats, trouble, "entries", "message", "messages")}.`,
        todo: "Check the machine's disk and power supply.",
      },
      "inbox-repaired": {
        what: (trouble, formats) =>
          `The inbox was repaired at the start (${formats.number(value(trouble, "repairs"))}).`,
        todo: "Read what was done, further down; check the machine's power supply.",
      },
      "embedded-recovered": {
        what: (trouble, formats) =>
          `The database's engine died ${counted(formats, trouble, "recoveries", "time", "times")} and recovered.`,
        todo: "Nothing is lost. If it happens again, report it with the logs.",
      },
      "job-failed": {
        what: (trouble) => `The job ${trouble.subject ?? ""} failed.`,
        todo: "Read its error, further down; it is tried again.",
      },
      "job-overdue": {
        what: (trouble) => `The job ${trouble.subject ?? ""} is overdue.`,
        todo: "Check that the database answers; restart if it lasts.",
      },
      "event-loop-slow": {
        what: (trouble, formats) => `The program is slow: delayed by ${formats.ms(value(trouble, "p99Ms"))}.`,
        todo: "A node of the flow computes for too long, or the machine is overloaded.",
      },
      "memory-low": {
        what: (trouble, formats) => `${formats.bytes(value(trouble, "freeBytes"))} of memory are left on the machine.`,
        todo: "Close what has no business on this machine.",
      },
      refusals: {
        what: (trouble, formats) =>
          `${counted(formats, trouble, "refused", "message", "messages")} refused at the door since the start.`,
        todo: "See the reasons, further down: credentials, size, room.",
      },
      "quarantine-open": {
        what: (trouble, formats) =>
          `${counted(formats, trouble, "open", "message in quarantine waits", "messages in quarantine wait")} for a decision.`,
        todo: "Open the page Quarantine.",
      },
    },
  },
};
