import { answerRequests } from "../host/answer-requests.ts";
import { CodedError } from "../host/errors.ts";
import type { StartGuest } from "./guest.ts";
import { storeError } from "./store-errors.ts";
import { StoreFile } from "./store-file.ts";
import { StoreGate } from "./store-gate.ts";
import type { HostQuestion, StoreAnswer, StoreQuestion } from "./store-protocol.ts";

/** The thread that keeps the inbox's store. */
let store: StoreFile | undefined;
const gate = new StoreGate(() => store);

function answer(question: StoreQuestion): StoreAnswer | Promise<StoreAnswer> {
  if (question.kind === "open") {
    const opened = StoreFile.open(question);
    store = opened.store;
    return opened.answer;
  }
  if (!store) throw new CodedError("inbox-failed", "the inbox's store is not open");
  switch (question.kind) {
    case "commit":
      gate.heard(question.knownTo);
      return store.commit(question);
    case "read":
      return store.read(question.ids);
    case "look":
      return { kind: "look", figures: store.look() };
    case "gate":
      gate.configure(question.bounds, question.obstacle);
      return { kind: "done" };
    case "host":
      return host(question);
    case "close": {
      const closing = store;
      store = undefined;
      closing.close(question);
      return { kind: "done" };
    }
  }
}

async function host({ module, port }: HostQuestion): Promise<StoreAnswer> {
  const guest: { startGuest?: StartGuest } = await import(module);
  if (!guest.startGuest) throw new CodedError("inbox-failed", `${module} is no guest`);
  guest.startGuest(port, gate);
  return { kind: "done" };
}

answerRequests<StoreQuestion, StoreAnswer>(async (question) => {
  try {
    return await answer(question);
  } catch (error) {
    throw storeError(error);
  }
});
