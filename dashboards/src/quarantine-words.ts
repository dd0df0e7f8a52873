import type { BytesView, ProgressView, RecordState } from "@foieflow/node-red-foieflow/quarantine/page.js";
import type { Language } from "./settings.ts";

/** What a reason is called, what happened, and what to do. */
export interface ReasonWords {
  title: string;
  what: string;
  todo: string;
}

/** Everything the quarantine page says. */
export interface QuarantineWords {
  title: string;
  intro: string;
  empty: string;
  loading: string;
  away: string;
  devices(count: number): string;
  latest(age: string): string;
  kept(retried: number, closed: number): string;
  pushedOut(count: number, open: number): string;
  totals(records: string, most: string, size: string, mostSize: string): string;
  todo: string;
  choose: string;
  tabs: { open: string; done: string };
  newer: string;
  older: string;
  none: string;
  record(id: string): string;
  unknownDevice: string;
  received: string;
  quarantined: string;
  transport: string;
  device: string;
  line: string;
  detail: string;
  size: string;
  states: Record<RecordState, string>;
  changed(state: string, name: string, time: string): string;
  note(text: string): string;
  contents: string;
  forms: Record<BytesView["form"], string>;
  cut: string;
  retry: string;
  retryAll(count: number): string;
  discard: string;
  discardAll(count: number): string;
  export: string;
  confirmDiscard(count: number): string;
  noteHint: string;
  confirm: string;
  cancel: string;
  stop: string;
  progress: Record<ProgressView["state"], string>;
  by(name: string): string;
  done: { retry: string; discard(count: number): string; export: string };
  errors: Record<string, string>;
  otherError(code: string): string;
  reasons: Record<string, ReasonWords>;
  /** For codes that begin so, where the code itself is not known here. */
  families: Record<string, ReasonWords>;
  otherReason(code: string): ReasonWords;
}

export const QUARANTINE_WORDS: Record<Language, QuarantineWords> = {
  fr: {
    title: "Quarantaine",
    intro:
      "Ce qui a été reçu mais n’a pu être compris ou enregistré. Rien n’est perdu : chaque message est gardé tel quel.",
    empty: "Rien en quarantaine",
    loading: "Lecture de la quarantaine…",
    away: "Base de données injoignable : les derniers chiffres lus sont affichés, aucune action n’est possible.",
    devices: (count) => (count === 0 ? "capteur inconnu" : count > 1 ? `${count} capteurs` : `${count} capteur`),
    latest: (age) => `le dernier il y a ${age}`,
    kept: (retried, closed) =>
      [retried > 0 && `${retried} renvoyé${retried > 1 ? "s" : ""}`, closed > 0 && `${closed} clos`]
        .filter(Boolean)
        .join(", "),
    pushedOut: (count, open) =>
      open > 0
        ? `${count} effacés faute de place, dont ${open} jamais traités`
        : `${count} déjà traités effacés faute de place`,
    totals: (records, most, size, mostSize) => `${records} messages gardés sur ${most}, ${size} sur ${mostSize}`,
    todo: "Que faire",
    choose: "Choisissez un motif à gauche",
    tabs: { open: "À traiter", done: "Traités" },
    newer: "Plus récents",
    older: "Plus anciens",
    none: "Aucun message",
    record: (id) => `Message n° ${id}`,
    unknownDevice: "capteur inconnu",
    received: "Reçu",
    quarantined: "Mis de côté",
    transport: "Transport",
    device: "Capteur",
    line: "Ligne",
    detail: "Constat",
    size: "Taille",
    states: { open: "À traiter", retried: "Renvoyé", closed: "Clos" },
    changed: (state, name, time) => `${state} par ${name}, ${time}`,
    note: (text) => `Note : ${text}`,
    contents: "Contenu",
    forms: { json: "JSON", cbor: "CBOR", text: "texte", hex: "octets", empty: "vide" },
    cut: "abrégé",
    retry: "Renvoyer",
    retryAll: (count) => `Renvoyer les ${count}`,
    discard: "Clore…",
    discardAll: (count) => `Clore les ${count}…`,
    export: "Exporter",
    confirmDiscard: (count) =>
      count > 1
        ? `Clore ${count} messages ? Ils ne seront ni classés ni comptés. Dites pourquoi.`
        : "Clore ce message ? Il ne sera ni classé ni compté. Dites pourquoi.",
    noteHint: "Par exemple : essai au banc du 12 mars",
    confirm: "Clore",
    cancel: "Annuler",
    stop: "Arrêter",
    progress: {
      running: "Renvoi en cours",
      waiting: "En attente : les capteurs passent d’abord",
      finished: "Renvoi terminé",
      stopped: "Renvoi arrêté",
      failed: "Renvoi interrompu",
    },
    by: (name) => `par ${name}`,
    done: {
      retry: "Renvoyé : le résultat apparaît dans quelques secondes",
      discard: (count) => (count > 1 ? `${count} messages clos` : "Message clos"),
      export: "Export téléchargé",
    },
    errors: {
      "not-signed-in": "Identifiez-vous pour agir : cette action garde le nom de la personne.",
      "not-allowed": "Votre rôle ne permet pas cette action ; demandez à un ingénieur.",
      "database-away": "Base de données injoignable : réessayez quand elle sera revenue.",
      "quarantine-gone": "Ce message n’est plus gardé.",
      "quarantine-not-open": "Ce message a déjà été traité.",
      "quarantine-no-note": "Une note est nécessaire pour clore.",
      "quarantine-busy": "Un renvoi est déjà en cours.",
      "inbox-full": "La boîte d’entrée est pleine : réessayez quand elle se sera vidée.",
      "disk-full": "Le disque est plein : libérez de la place, puis réessayez.",
      "no-answer": "Pas de réponse du serveur.",
    },
    otherError: (code) => `Action impossible (${code})`,
    reasons: {
      "not-json": {
        title: "Message illisible",
        what: "Le capteur a envoyé un texte qui n’est pas du JSON complet.",
        todo: "Souvent un micrologiciel en essai ou une liaison coupée. Vérifiez le capteur ; le renvoi n’y changera rien.",
      },
      "not-cbor": {
        title: "Message illisible",
        what: "Le message binaire est incomplet ou abîmé.",
        todo: "Vérifiez la liaison et le micrologiciel du capteur ; le renvoi n’y changera rien.",
      },
      "too-large": {
        title: "Message trop grand",
        what: "Le message dépasse la taille qu’un échantillon peut avoir.",
        todo: "Vérifiez le réglage du capteur (nombre de classes d’histogramme).",
      },
      "unknown-type": {
        title: "Message d’un autre genre",
        what: "Le message est lisible, mais n’est pas un échantillon connu.",
        todo: "Un autre appareil publie peut-être ici. Écartez-le, ou faites ajouter ce format puis renvoyez.",
      },
      "bad-version": {
        title: "Version inconnue",
        what: "Le capteur parle une version du protocole que la ligne ne connaît pas encore.",
        todo: "Mettez FoieFlow à jour, puis renvoyez.",
      },
      "bad-id": {
        title: "Nom de capteur non valable",
        what: "L’identifiant du capteur ou de l’échantillon contient des caractères interdits.",
        todo: "Corrigez le nom dans le capteur : lettres, chiffres, tiret, 64 au plus.",
      },
      "bad-field": {
        title: "Champ non valable",
        what: "Un champ du message manque ou n’a pas la forme attendue.",
        todo: "Lisez le constat : il nomme le champ. Corrigez le micrologiciel.",
      },
      "bad-timestamp": {
        title: "Date illisible",
        what: "L’heure de mesure n’est pas une date.",
        todo: "Corrigez le format de l’heure dans le capteur (ISO 8601).",
      },
      "future-time": {
        title: "Mesuré dans le futur",
        what: "L’horloge du capteur avance sur celle du serveur.",
        todo: "Remettez à l’heure le capteur, ou le serveur. Si l’heure du serveur était fausse, relevez la tolérance du site le temps de renvoyer.",
      },
      "identity-mismatch": {
        title: "Capteur qui se fait passer pour un autre",
        what: "Le nom dans le message n’est pas celui que l’identification prouve.",
        todo: "Vérifiez les identifiants donnés à ce capteur. Ne renvoyez pas avant d’avoir compris.",
      },
      "bad-topic": {
        title: "Mauvais sujet MQTT",
        what: "Le message n’est pas arrivé sous le nom d’un capteur.",
        todo: "Corrigez le sujet dans le capteur : foieflow/site/ligne/capteur/sample. Le renvoi passe outre.",
      },
      "bad-matrix": {
        title: "Image de hauteur non valable",
        what: "La matrice du capteur de distance n’a pas 8 × 8 ou 4 × 4 valeurs utilisables.",
        todo: "Vérifiez le capteur de distance et son micrologiciel.",
      },
      "bad-histogram": {
        title: "Histogramme non valable",
        what: "L’histogramme du capteur de distance n’a pas la forme attendue.",
        todo: "Vérifiez le réglage CNH du capteur.",
      },
      "bad-channels": {
        title: "Couleur non valable",
        what: "Les canaux du capteur de couleur manquent ou ne sont pas des nombres.",
        todo: "Vérifiez le capteur de couleur et son micrologiciel.",
      },
      "bad-bytes": {
        title: "Octets non valables",
        what: "Les données brutes du capteur ne sont pas codées comme prévu.",
        todo: "Vérifiez le micrologiciel du capteur.",
      },
      "bad-format": {
        title: "Format brut inconnu",
        what: "Le capteur annonce un format de données brutes que la ligne ne lit pas.",
        todo: "Mettez FoieFlow à jour ou corrigez le micrologiciel, puis renvoyez.",
      },
      "bad-text": {
        title: "Texte non valable",
        what: "Un texte du message contient des caractères interdits.",
        todo: "Corrigez le nom (lot, éleveur…) à la source.",
      },
      "out-of-range": {
        title: "Valeur impossible",
        what: "Une mesure est hors de ce que le capteur peut donner.",
        todo: "Vérifiez le capteur : il est peut-être en panne.",
      },
      "no-sensor": {
        title: "Échantillon vide",
        what: "Le message ne contient ni mesure de distance ni mesure de couleur.",
        todo: "Vérifiez le câblage des deux capteurs.",
      },
      "no-sensor-data": {
        title: "Échantillon vide",
        what: "Il ne restait ni image de hauteur ni mesure de couleur à enregistrer.",
        todo: "Vérifiez le flow entre décodage et enregistrement.",
      },
      "refused-by-database": {
        title: "Refusé par la base de données",
        what: "La base n’a pas voulu de cette ligne ; les autres ont été enregistrées.",
        todo: "Lisez le constat, corrigez la cause dans la base, puis renvoyez : l’échantillon sera enregistré une seule fois.",
      },
      unmappable: {
        title: "Impossible à enregistrer",
        what: "Un nœud du flow a changé l’échantillon en quelque chose qui ne s’enregistre pas.",
        todo: "Corrigez le flow, puis renvoyez.",
      },
      "lost-in-flow": {
        title: "Perdu dans le flow",
        what: "Le message est entré trois fois dans le flow et n’en est jamais ressorti.",
        todo: "Un fil est coupé ou un nœud est arrêté. Réparez le flow, puis renvoyez.",
      },
      "crashed-three-times": {
        title: "Présent à chaque panne",
        what: "Le programme s’est arrêté trois fois pendant qu’il traitait ce message.",
        todo: "Exportez-le et envoyez-le avec les journaux ; ne le renvoyez pas sur une ligne qui tourne.",
      },
      "grade-failed": {
        title: "Classement impossible",
        what: "Le calcul de la classe a échoué.",
        todo: "Vérifiez le barème choisi, puis renvoyez.",
      },
      "analysis-failed": {
        title: "Analyse impossible",
        what: "L’analyse de forme ou de couleur a échoué.",
        todo: "Exportez le message pour l’étudier ; renvoyez après une mise à jour.",
      },
      "no-spec": {
        title: "Pas de barème",
        what: "Aucun barème n’est choisi dans le flow.",
        todo: "Choisissez un barème dans le nœud de classement, puis renvoyez.",
      },
      "not-analysed": {
        title: "Pas analysé",
        what: "L’échantillon est arrivé au classement sans analyse.",
        todo: "Vérifiez l’ordre des nœuds dans le flow, puis renvoyez.",
      },
      "product-failed": {
        title: "Produit impossible à calculer",
        what: "Le calcul sur le produit entier a échoué.",
        todo: "Exportez les messages pour les étudier ; renvoyez après une mise à jour.",
      },
      "product-overloaded": {
        title: "Trop de produits à la fois",
        what: "Le calcul des produits n’a pas suivi.",
        todo: "Renvoyez quand la ligne est plus calme.",
      },
      "decode-failed": {
        title: "Décodage impossible",
        what: "Le décodage a échoué pour une raison inattendue.",
        todo: "Exportez le message et signalez-le.",
      },
    },
    families: {
      "uld-": {
        title: "Trame de distance abîmée",
        what: "Les octets bruts du VL53L8CH sont coupés ou incomplets.",
        todo: "Vérifiez la lecture I²C/SPI du capteur ; le renvoi n’y changera rien.",
      },
      "cnh-": {
        title: "Histogrammes abîmés",
        what: "Le bloc d’histogrammes du VL53L8CH ne correspond pas à son réglage.",
        todo: "Vérifiez le réglage CNH du capteur.",
      },
      "tof-": {
        title: "Trame de distance illisible",
        what: "La forme des données du capteur de distance n’est pas connue.",
        todo: "Vérifiez le micrologiciel du capteur.",
      },
      "as7341-": {
        title: "Mesure de couleur illisible",
        what: "Les octets ou les valeurs du capteur AS7341 ne sont pas utilisables.",
        todo: "Vérifiez le capteur de couleur et son micrologiciel.",
      },
      "too-": {
        title: "Message démesuré",
        what: "Le message est trop profond ou contient trop de valeurs.",
        todo: "Vérifiez qui l’envoie : ce n’est pas un échantillon normal.",
      },
      "not-finite": {
        title: "Nombre impossible",
        what: "Une valeur du message n’est pas un nombre fini.",
        todo: "Vérifiez le capteur et son micrologiciel.",
      },
      forbidden: {
        title: "Champ interdit",
        what: "Le message contient un nom de champ qui n’est pas admis.",
        todo: "Vérifiez qui l’envoie.",
      },
      duplicate: {
        title: "Champ en double",
        what: "Le message donne deux fois le même champ.",
        todo: "Corrigez le micrologiciel du capteur.",
      },
    },
    otherReason: (code) => ({
      title: code,
      what: "Motif sans explication dans cette version.",
      todo: "Lisez le constat du message.",
    }),
  },
  en: {
    title: "Quarantine",
    intro:
      "What was received but could not be understood or stored. Nothing is lost: every message is kept as it came.",
    empty: "Nothing in quarantine",
    loading: "Reading the quarantine…",
    away: "Database not reachable: the last figures read are shown, nothing can be done meanwhile.",
    devices: (count) => (count === 0 ? "unknown device" : count === 1 ? `${count} device` : `${count} devices`),
    latest: (age) => `the last ${age} ago`,
    kept: (retried, closed) =>
      [retried > 0 && `${retried} sent in again`, closed > 0 && `${closed} closed`].filter(Boolean).join(", "),
    pushedOut: (count, open) =>
      open > 0
        ? `${count} dropped for want of room, ${open} of them never dealt with`
        : `${count} dealt with and dropped for want of room`,
    totals: (records, most, size, mostSize) => `${records} messages kept of ${most}, ${size} of ${mostSize}`,
    todo: "What to do",
    choose: "Choose a reason on the left",
    tabs: { open: "To deal with", done: "Dealt with" },
    newer: "Newer",
    older: "Older",
    none: "No messages",
    record: (id) => `Message no. ${id}`,
    unknownDevice: "unknown device",
    received: "Received",
    quarantined: "Set aside",
    transport: "Transport",
    device: "Device",
    line: "Line",
    detail: "Finding",
    size: "Size",
    states: { open: "To deal with", retried: "Sent in again", closed: "Closed" },
    changed: (state, name, time) => `${state} by ${name}, ${time}`,
    note: (text) => `Note: ${text}`,
    contents: "Contents",
    forms: { json: "JSON", cbor: "CBOR", text: "text", hex: "bytes", empty: "empty" },
    cut: "shortened",
    retry: "Send in again",
    retryAll: (count) => `Send in all ${count}`,
    discard: "Close…",
    discardAll: (count) => `Close all ${count}…`,
    export: "Export",
    confirmDiscard: (count) =>
      count > 1
        ? `Close ${count} messages? They will be neither graded nor counted. Say why.`
        : "Close this message? It will be neither graded nor counted. Say why.",
    noteHint: "For example: bench test of 12 March",
    confirm: "Close",
    cancel: "Cancel",
    stop: "Stop",
    progress: {
      running: "Sending in again",
      waiting: "Waiting: the devices go first",
      finished: "All sent in again",
      stopped: "Stopped",
      failed: "Broken off",
    },
    by: (name) => `by ${name}`,
    done: {
      retry: "Sent in again: the result shows in a few seconds",
      discard: (count) => (count === 1 ? "Message closed" : `${count} messages closed`),
      export: "Export downloaded",
    },
    errors: {
      "not-signed-in": "Sign in to do this: the name of the person is kept with it.",
      "not-allowed": "Your role does not allow this; ask an engineer.",
      "database-away": "Database not reachable: try again when it is back.",
      "quarantine-gone": "This message is not kept any more.",
      "quarantine-not-open": "This message was dealt with already.",
      "quarantine-no-note": "Closing needs a note.",
      "quarantine-busy": "Messages are being sent in already.",
      "inbox-full": "The inbox is full: try again when it has emptied.",
      "disk-full": "The disk is full: make room, then try again.",
      "no-answer": "No answer from the server.",
    },
    otherError: (code) => `Not possible (${code})`,
    reasons: {
      "not-json": {
        title: "Unreadable message",
        what: "The device sent a text that is not complete JSON.",
        todo: "Often firmware on trial or a broken link. Check the device; sending it in again will not help.",
      },
      "not-cbor": {
        title: "Unreadable message",
        what: "The binary message is incomplete or damaged.",
        todo: "Check the device's link and firmware; sending it in again will not help.",
      },
      "too-large": {
        title: "Message too large",
        what: "The message is larger than a sample can be.",
        todo: "Check the device's settings (number of histogram bins).",
      },
      "unknown-type": {
        title: "Message of another kind",
        what: "The message is readable but is no known sample.",
        todo: "Another device may publish here. Close it, or have this format added and send it in again.",
      },
      "bad-version": {
        title: "Unknown version",
        what: "The device speaks a version of the protocol that the line does not know yet.",
        todo: "Update FoieFlow, then send it in again.",
      },
      "bad-id": {
        title: "Name not valid",
        what: "The id of the device or the sample has characters that are not allowed.",
        todo: "Correct the name in the device: letters, digits, hyphen, 64 at most.",
      },
      "bad-field": {
        title: "Field not valid",
        what: "A field of the message is missing or not of the expected form.",
        todo: "Read the finding: it names the field. Correct the firmware.",
      },
      "bad-timestamp": {
        title: "Unreadable time",
        what: "The time of measurement is no time.",
        todo: "Correct the form of the time in the device (ISO 8601).",
      },
      "future-time": {
        title: "Measured in the future",
        what: "The device's clock is ahead of the server's.",
        todo: "Set the clock of the device, or of the server. If the server's was wrong, raise the site's tolerance while you send it in again.",
      },
      "identity-mismatch": {
        title: "Device passing for another",
        what: "The name in the message is not the one its credential proves.",
        todo: "Check the credential given to this device. Do not send it in again before you know why.",
      },
      "bad-topic": {
        title: "Wrong MQTT topic",
        what: "The message did not arrive below a device's name.",
        todo: "Correct the topic in the device: foieflow/site/line/device/sample. Sending it in again overrides that.",
      },
      "bad-matrix": {
        title: "Height image not valid",
        what: "The distance sensor's matrix has not 8 × 8 or 4 × 4 usable values.",
        todo: "Check the distance sensor and its firmware.",
      },
      "bad-histogram": {
        title: "Histogram not valid",
        what: "The distance sensor's histogram is not of the expected form.",
        todo: "Check the sensor's CNH settings.",
      },
      "bad-channels": {
        title: "Colour not valid",
        what: "Channels of the colour sensor are missing or are no numbers.",
        todo: "Check the colour sensor and its firmware.",
      },
      "bad-bytes": {
        title: "Bytes not valid",
        what: "The sensor's raw data are not encoded as expected.",
        todo: "Check the device's firmware.",
      },
      "bad-format": {
        title: "Unknown raw format",
        what: "The device announces a format of raw data that the line does not read.",
        todo: "Update FoieFlow or correct the firmware, then send it in again.",
      },
      "bad-text": {
        title: "Text not valid",
        what: "A text of the message has characters that are not allowed.",
        todo: "Correct the name (lot, breeder…) where it comes from.",
      },
      "out-of-range": {
        title: "Impossible value",
        what: "A measurement is beyond what the sensor can give.",
        todo: "Check the sensor: it may be broken.",
      },
      "no-sensor": {
        title: "Empty sample",
        what: "The message holds neither a distance nor a colour measurement.",
        todo: "Check the wiring of both sensors.",
      },
      "no-sensor-data": {
        title: "Empty sample",
        what: "Neither a height image nor a colour measurement was left to store.",
        todo: "Check the flow between decoding and storing.",
      },
      "refused-by-database": {
        title: "Refused by the database",
        what: "The database did not take this row; the others were stored.",
        todo: "Read the finding, mend the cause in the database, then send it in again: it is stored once.",
      },
      unmappable: {
        title: "Cannot be stored",
        what: "A node of the flow changed the sample into something that cannot be stored.",
        todo: "Correct the flow, then send it in again.",
      },
      "lost-in-flow": {
        title: "Lost in the flow",
        what: "The message went into the flow three times and never came out.",
        todo: "A wire is cut or a node is stopped. Mend the flow, then send it in again.",
      },
      "crashed-three-times": {
        title: "There at every crash",
        what: "The program stopped three times while it worked on this message.",
        todo: "Export it and send it with the logs; do not send it in again on a running line.",
      },
      "grade-failed": {
        title: "Cannot be graded",
        what: "Computing the grade failed.",
        todo: "Check the grade spec chosen, then send it in again.",
      },
      "analysis-failed": {
        title: "Cannot be analysed",
        what: "The analysis of shape or colour failed.",
        todo: "Export the message to study it; send it in again after an update.",
      },
      "no-spec": {
        title: "No grade spec",
        what: "No grade spec is chosen in the flow.",
        todo: "Choose one in the grade node, then send it in again.",
      },
      "not-analysed": {
        title: "Not analysed",
        what: "The sample came to grading without an analysis.",
        todo: "Check the order of the nodes in the flow, then send it in again.",
      },
      "product-failed": {
        title: "Product cannot be computed",
        what: "The computation over the whole product failed.",
        todo: "Export the messages to study them; send them in again after an update.",
      },
      "product-overloaded": {
        title: "Too many products at once",
        what: "The computation of products did not keep up.",
        todo: "Send it in again when the line is quieter.",
      },
      "decode-failed": {
        title: "Cannot be decoded",
        what: "Decoding failed for a reason nobody expected.",
        todo: "Export the message and report it.",
      },
    },
    families: {
      "uld-": {
        title: "Distance frame damaged",
        what: "The raw bytes of the VL53L8CH are cut or incomplete.",
        todo: "Check how the sensor is read (I²C, SPI); sending it in again will not help.",
      },
      "cnh-": {
        title: "Histograms damaged",
        what: "The VL53L8CH's block of histograms does not fit its settings.",
        todo: "Check the sensor's CNH settings.",
      },
      "tof-": {
        title: "Distance frame unreadable",
        what: "The form of the distance sensor's data is not known.",
        todo: "Check the device's firmware.",
      },
      "as7341-": {
        title: "Colour reading unreadable",
        what: "Bytes or values of the AS7341 cannot be used.",
        todo: "Check the colour sensor and its firmware.",
      },
      "too-": {
        title: "Message out of all bounds",
        what: "The message nests too deep or holds too many values.",
        todo: "Find out who sends it: it is no ordinary sample.",
      },
      "not-finite": {
        title: "Impossible number",
        what: "A value of the message is no finite number.",
        todo: "Check the sensor and its firmware.",
      },
      forbidden: {
        title: "Forbidden field",
        what: "The message has a field name that is not allowed.",
        todo: "Find out who sends it.",
      },
      duplicate: {
        title: "Field given twice",
        what: "The message gives the same field twice.",
        todo: "Correct the device's firmware.",
      },
    },
    otherReason: (code) => ({
      title: code,
      what: "A reason this version has no explanation for.",
      todo: "Read the message's finding.",
    }),
  },
};

/** The words of a reason code, of its family, or the code itself. */
export function reasonWords(words: QuarantineWords, code: string): ReasonWords {
  const known = Object.hasOwn(words.reasons, code) ? words.reasons[code] : undefined;
  if (known) return known;
  const family = Object.keys(words.families).find((prefix) => code.startsWith(prefix));
  return (family !== undefined && words.families[family]) || words.otherReason(code);
}
