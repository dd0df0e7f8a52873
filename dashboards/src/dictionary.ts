import type { Role } from "@foieflow/node-red-foieflow/sample/roles.js";
import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import type { Language } from "./settings.ts";

/** Everything the screen says, but for the reasons (`catalogue.ts`). */
export interface Words {
  grade: string;
  storedGrade: string;
  grades: Record<GradeLetter, string>;
  score: string;
  outOf: string;
  points: string;
  lot: string;
  breeder: string;
  device: string;
  mass: string;
  measured: string;
  tof: string;
  spectral: string;
  vetoed(grade: string): string;
  ago(age: string): string;
  stale: string;
  pinned: string;
  noProduct: string;
  heights: string;
  height: string;
  highest: string;
  noHeights: string;
  outside: string;
  spectrum: string;
  noSpectrum: string;
  clear: string;
  clearHelp: string;
  reconstructed: string;
  saturated: string;
  /** What a product asks of the operator. */
  todo: string;
  pointsOf(most: string): string;
  /** @param products how many of the device's last good ones it is the median of */
  reference(products: number): string;
  deviation(channel: string): string;
  gain: string;
  color: string;
  reasons: string;
  noReasons: string;
  veto: string;
  limit: string;
  expected: string;
  all(count: number): string;
  fewer: string;
  samples: string;
  noSamples: string;
  late: string;
  shift: string;
  total: string;
  perHour: string;
  since(time: string): string;
  partial: string;
  shifts: Record<string, string>;
  devices: string;
  noDevices: string;
  connected: string;
  silent: string;
  disconnected: string;
  perMinute: string;
  missingSamples(count: string): string;
  firmware: string;
  transports: Record<string, string>;
  line: string;
  live: string;
  notLive: string;
  waitingData: string;
  serverGone: string;
  databaseGone(waiting: number | null): string;
  dataGone(age: string): string;
  backToLive(seconds: number): string;
  language: string;
  theme: string;
  pages: string;
  menu: string;
  calibration: string;
  people: string;
  audit: string;
  signIn: string;
  signOut: string;
  signInAsOther: string;
  resting: string;
  close: string;
  roles: Record<Role, string>;
  signInFirst(role: string): string;
  mayNot(name: string, role: string): string;
  quarantine: string;
  health: string;
  alarms: string;
  lots: string;
  quality: string;
}

export const WORDS: Record<Language, Words> = {
  fr: {
    grade: "Dernier classement",
    storedGrade: "Classement",
    grades: { "A+": "A+", A: "A", B: "B", C: "C", REJECT: "REJET" },
    score: "Score",
    outOf: "sur 100",
    points: "pts",
    lot: "Lot",
    breeder: "Éleveur",
    device: "Capteur",
    mass: "Masse estimée",
    measured: "Mesuré à",
    tof: "Forme",
    spectral: "Couleur",
    vetoed: (grade) => `Le score seul donnait ${grade}`,
    ago: (age) => `il y a ${age}`,
    stale: "Donnée périmée",
    pinned: "Épinglé",
    noProduct: "Aucun produit classé pour l’instant",
    heights: "Carte des hauteurs",
    height: "Hauteur",
    highest: "Point le plus haut",
    noHeights: "Pas de mesure de hauteur",
    outside: "Hors produit",
    spectrum: "Spectre",
    noSpectrum: "Pas de mesure spectrale",
    clear: "Clair",
    clearHelp: "toute la lumière",
    reconstructed: "reconstitué",
    saturated: "saturé",
    todo: "À faire",
    pointsOf: (most) => `sur ${most} pts`,
    reference: (products) => `référence : médiane des ${products} derniers A+ et A de ce capteur`,
    deviation: (channel) => `plus grand écart : ${channel}`,
    gain: "gain",
    color: "Couleur",
    reasons: "Pourquoi ce classement",
    noReasons: "Aucune raison enregistrée",
    veto: "Déclassé d’office",
    limit: "limite",
    expected: "attendu",
    all: (count) => `Tout afficher (${count})`,
    fewer: "Réduire",
    samples: "20 derniers produits",
    noSamples: "Aucun produit",
    late: "tardif",
    shift: "Équipe",
    total: "produits",
    perHour: "par heure",
    since: (time) => `depuis ${time}`,
    partial: "depuis le démarrage seulement",
    shifts: { matin: "matin", "apres-midi": "après-midi", nuit: "nuit" },
    devices: "Capteurs",
    noDevices: "Aucun capteur vu",
    connected: "En ligne",
    silent: "Silencieux",
    disconnected: "Déconnecté",
    perMinute: "/min",
    missingSamples: (count) => `manquants : ${count}`,
    firmware: "micrologiciel",
    transports: { websocket: "WebSocket", mqtt: "MQTT", serial: "Série" },
    line: "Ligne",
    live: "En direct",
    notLive: "Pas en direct",
    waitingData: "En attente de mesures",
    serverGone: "Serveur injoignable : rien de ce qui est affiché n’est actuel.",
    databaseGone: (waiting) =>
      `Base de données injoignable : les mesures sont gardées en attente${waiting ? ` (${waiting})` : ""} et n’apparaissent pas ici.`,
    dataGone: (age) => `Aucune mesure reçue depuis ${age}.`,
    backToLive: (seconds) => `Retour au direct (${seconds} s)`,
    language: "Langue",
    theme: "Clair ou sombre",
    pages: "Pages",
    menu: "Menu",
    calibration: "Étalonnage",
    people: "Personnes",
    audit: "Journal",
    signIn: "Se connecter",
    signOut: "Quitter",
    signInAsOther: "Changer de personne",
    resting: "session en veille",
    close: "Fermer",
    roles: {
      viewer: "consultation",
      operator: "opérateur",
      quality: "qualité",
      engineer: "ingénieur",
      admin: "administrateur",
    },
    signInFirst: (role) => `Rien n'a été fait : connectez-vous d'abord (rôle « ${role} » au moins).`,
    mayNot: (name, role) => `Rien n'a été fait : ${name} n'en a pas le droit, il faut le rôle « ${role} » au moins.`,
    quarantine: "Quarantaine",
    health: "Santé",
    alarms: "Alarmes",
    lots: "Lots",
    quality: "Qualité",
  },
  en: {
    grade: "Last grade",
    storedGrade: "Grade",
    grades: { "A+": "A+", A: "A", B: "B", C: "C", REJECT: "REJECT" },
    score: "Score",
    outOf: "out of 100",
    points: "pts",
    lot: "Lot",
    breeder: "Breeder",
    device: "Device",
    mass: "Estimated mass",
    measured: "Measured at",
    tof: "Shape",
    spectral: "Colour",
    vetoed: (grade) => `The score alone gave ${grade}`,
    ago: (age) => `${age} ago`,
    stale: "Stale data",
    pinned: "Pinned",
    noProduct: "No product graded yet",
    heights: "Height map",
    height: "Height",
    highest: "Highest point",
    noHeights: "No height measurement",
    outside: "Outside the product",
    spectrum: "Spectrum",
    noSpectrum: "No spectral measurement",
    clear: "Clear",
    clearHelp: "all light",
    reconstructed: "reconstructed",
    saturated: "saturated",
    todo: "To do",
    pointsOf: (most) => `of ${most} pts`,
    reference: (products) => `reference: median of this sensor’s last ${products} A+ and A`,
    deviation: (channel) => `largest deviation: ${channel}`,
    gain: "gain",
    color: "Colour",
    reasons: "Why this grade",
    noReasons: "No reason recorded",
    veto: "Downgraded by rule",
    limit: "limit",
    expected: "expected",
    all: (count) => `Show all (${count})`,
    fewer: "Show fewer",
    samples: "Last 20 products",
    noSamples: "No product",
    late: "late",
    shift: "Shift",
    total: "products",
    perHour: "per hour",
    since: (time) => `since ${time}`,
    partial: "since start-up only",
    shifts: { matin: "morning", "apres-midi": "afternoon", nuit: "night" },
    devices: "Devices",
    noDevices: "No device seen",
    connected: "Online",
    silent: "Silent",
    disconnected: "Disconnected",
    perMinute: "/min",
    missingSamples: (count) => `missing: ${count}`,
    firmware: "firmware",
    transports: { websocket: "WebSocket", mqtt: "MQTT", serial: "Serial" },
    line: "Line",
    live: "Live",
    notLive: "Not live",
    waitingData: "Waiting for measurements",
    serverGone: "Server out of reach: nothing shown here is current.",
    databaseGone: (waiting) =>
      `Database out of reach: measurements are kept waiting${waiting ? ` (${waiting})` : ""} and do not appear here.`,
    dataGone: (age) => `No measurement received for ${age}.`,
    backToLive: (seconds) => `Back to live (${seconds} s)`,
    language: "Language",
    theme: "Light or dark",
    pages: "Pages",
    menu: "Menu",
    calibration: "Calibration",
    people: "People",
    audit: "Audit log",
    signIn: "Sign in",
    signOut: "Sign out",
    signInAsOther: "Sign in as someone else",
    resting: "resting",
    close: "Close",
    roles: {
      viewer: "viewer",
      operator: "operator",
      quality: "quality",
      engineer: "engineer",
      admin: "administrator",
    },
    signInFirst: (role) => `Nothing was done: please sign in first (role "${role}" at least).`,
    mayNot: (name, role) => `Nothing was done: ${name} may not do this; it takes the role "${role}" at least.`,
    quarantine: "Quarantine",
    health: "Health",
    alarms: "Alarms",
    lots: "Lots",
    quality: "Quality",
  },
};
