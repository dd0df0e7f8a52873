import type { DeviceStateView } from "@foieflow/node-red-foieflow/api/routes/device-board.js";
import type { Language } from "./settings.ts";

type PartState = NonNullable<NonNullable<DeviceStateView["calibration"]>["tof"]>["state"];
type CredentialState = NonNullable<DeviceStateView["credential"]>["state"];

/** Words of the devices' page. */
export interface DeviceWords {
  title: string;
  status: Record<DeviceStateView["status"], string>;
  search: string;
  none: string;
  loading: string;
  away(code: string): string;
  shown(count: string, of: string): string;
  line: string;
  transport: string;
  firmware: string;
  lastSample: string;
  never: string;
  missing: string;
  missingHelp: string;
  noneMissing: string;
  clock: string;
  clockHelp: string;
  noClock: string;
  accounts: string;
  received: string;
  stored: string;
  duplicate: string;
  quarantined: string;
  refused: string;
  calibration: string;
  parts: Record<"tof" | "spectral", string>;
  partStates: Record<PartState, string>;
  until(time: string): string;
  calibrate: string;
  credential: string;
  noCredential: string;
  credentialStates: Record<CredentialState, string>;
  issued(name: string, time: string): string;
  usedSince(time: string): string;
  revoked(name: string, time: string): string;
  issue: string;
  renew: string;
  revoke: string;
  renewHelp: string;
  revokeHelp: string;
  confirm: string;
  cancel: string;
  token(device: string): string;
  tokenOnce: string;
  tokenUse(device: string): string;
  copy: string;
  copied: string;
  close: string;
  addTitle: string;
  addHelp: string;
  id: string;
  needsEngineer: string;
  unreadable: string;
  failed: Record<string, string>;
}

export const DEVICE_WORDS: Record<Language, DeviceWords> = {
  fr: {
    title: "Capteurs",
    status: { online: "En ligne", offline: "Hors ligne", never: "Jamais vu" },
    search: "Chercher un capteur ou une ligne",
    none: "Aucun capteur.",
    loading: "Lecture…",
    away: (code) => `L’état des capteurs ne peut pas être lu (${code}).`,
    shown: (count, of) => `${count} capteurs sur ${of} : précisez la recherche pour voir les autres.`,
    line: "Ligne",
    transport: "Liaison",
    firmware: "Micrologiciel",
    lastSample: "Dernière mesure",
    never: "jamais",
    missing: "Mesures manquantes",
    missingHelp: "numéros sautés depuis le démarrage",
    noneMissing: "aucune",
    clock: "Horloge",
    clockHelp: "réception moins mesure, médiane des dernières",
    noClock: "pas d’horloge",
    accounts: "Comptes depuis le début",
    received: "reçues",
    stored: "enregistrées",
    duplicate: "doublons",
    quarantined: "en quarantaine",
    refused: "refusées",
    calibration: "Étalonnage",
    parts: { tof: "Hauteur", spectral: "Couleur" },
    partStates: {
      unknown: "inconnu",
      missing: "absent",
      valid: "valable",
      expiring: "bientôt échu",
      expired: "échu",
    },
    until: (time) => `jusqu’au ${time}`,
    calibrate: "Étalonner",
    credential: "Jeton du capteur",
    noCredential: "Pas de jeton propre : le jeton commun du site sert encore.",
    credentialStates: { unused: "pas encore utilisé", "in-use": "en service", revoked: "révoqué" },
    issued: (name, time) => `créé par ${name} le ${time}`,
    usedSince: (time) => `depuis le ${time}`,
    revoked: (name, time) => `par ${name} le ${time}`,
    issue: "Créer un jeton",
    renew: "Nouveau jeton",
    revoke: "Révoquer",
    renewHelp: "L’ancien jeton ne vaudra plus : le capteur s’arrête jusqu’à ce qu’il ait le nouveau.",
    revokeHelp: "Le capteur est coupé tout de suite et ne peut plus rien envoyer.",
    confirm: "Confirmer",
    cancel: "Annuler",
    token: (device) => `Jeton de ${device}`,
    tokenOnce: "Il n’est montré qu’une fois et n’est gardé nulle part : copiez-le maintenant.",
    tokenUse: (device) =>
      `MQTT : utilisateur ${device}, mot de passe le jeton. WebSocket : ?token= ou Authorization: Bearer.`,
    copy: "Copier",
    copied: "Copié",
    close: "C’est noté, fermer",
    addTitle: "Un capteur pas encore vu",
    addHelp: "Créez son jeton d’avance, puis inscrivez-le dans le capteur.",
    id: "Nom du capteur",
    needsEngineer: "Le rôle « ingénieur » peut créer et révoquer les jetons.",
    unreadable:
      "Les jetons ne peuvent pas être lus : aucune entrée de capteurs n’est ouverte, ou leur fichier est abîmé.",
    failed: {
      "not-allowed": "Rien n’a été fait : il faut le rôle « ingénieur ».",
      "not-signed-in": "Rien n’a été fait : connectez-vous d’abord (rôle « ingénieur » au moins).",
      "unknown-device": "Ce capteur n’a plus de jeton en vigueur.",
      "bad-request": "Rien n’a été fait : un nom a 1 à 64 lettres sans accent, chiffres, - ou _.",
      other: "Rien n’a été fait : le serveur n’a pas pu.",
    },
  },
  en: {
    title: "Devices",
    status: { online: "Online", offline: "Offline", never: "Never seen" },
    search: "Search a device or line",
    none: "No device.",
    loading: "Reading…",
    away: (code) => `How the devices stand cannot be read (${code}).`,
    shown: (count, of) => `${count} devices of ${of}: search to see the others.`,
    line: "Line",
    transport: "Connection",
    firmware: "Firmware",
    lastSample: "Last measurement",
    never: "never",
    missing: "Missing measurements",
    missingHelp: "numbers skipped since the start",
    noneMissing: "none",
    clock: "Clock",
    clockHelp: "arrival less measurement, median of the newest",
    noClock: "no clock",
    accounts: "Accounts since the beginning",
    received: "received",
    stored: "stored",
    duplicate: "duplicates",
    quarantined: "in quarantine",
    refused: "refused",
    calibration: "Calibration",
    parts: { tof: "Height", spectral: "Colour" },
    partStates: {
      unknown: "unknown",
      missing: "missing",
      valid: "valid",
      expiring: "ends soon",
      expired: "expired",
    },
    until: (time) => `until ${time}`,
    calibrate: "Calibrate",
    credential: "The device's token",
    noCredential: "No token of its own: the site's shared token still serves.",
    credentialStates: { unused: "not used yet", "in-use": "in use", revoked: "revoked" },
    issued: (name, time) => `made by ${name} on ${time}`,
    usedSince: (time) => `since ${time}`,
    revoked: (name, time) => `by ${name} on ${time}`,
    issue: "Make a token",
    renew: "New token",
    revoke: "Revoke",
    renewHelp: "The old token will no longer do: the device stops until it has the new one.",
    revokeHelp: "The device is cut off at once and can send nothing more.",
    confirm: "Confirm",
    cancel: "Cancel",
    token: (device) => `Token of ${device}`,
    tokenOnce: "It is shown once and kept nowhere: copy it now.",
    tokenUse: (device) => `MQTT: user name ${device}, password the token. WebSocket: ?token= or Authorization: Bearer.`,
    copy: "Copy",
    copied: "Copied",
    close: "Noted, close",
    addTitle: "A device not seen yet",
    addHelp: "Make its token in advance, then write it into the device.",
    id: "Name of the device",
    needsEngineer: 'The role "engineer" can make and revoke tokens.',
    unreadable: "The tokens cannot be read: no door for devices is open, or their file is damaged.",
    failed: {
      "not-allowed": 'Nothing was done: it takes the role "engineer".',
      "not-signed-in": 'Nothing was done: please sign in first (role "engineer" at least).',
      "unknown-device": "This device has no token in force any more.",
      "bad-request": "Nothing was done: a name has 1 to 64 letters without accents, digits, - or _.",
      other: "Nothing was done: the server could not.",
    },
  },
};
