import { answerRequests } from "../host/answer-requests.ts";
import { CodedError } from "../host/errors.ts";
import { storeError } from "./store-errors.ts";
import { StoreFile } from "./store-file.ts";
import type { StoreAnswer, StoreQuestion } from "./store-protocol.ts";

/** The thread that keeps the inbox's store. */
let store: StoreFile | undefined;

function answer(question: StoreQuestion): StoreAnswer {
  if (question.kind === "open") {
    const opened = StoreFile.open(question);
    store = opened.store;
    return opened.answer;
  }
  if (!store) throw new CodedError("inbox-failed", "the inbox's store is not open");
  switch (question.kind) {
    case "commit":
      return store.commit(question);
    case "read":
      return store.read(question.ids);
    case "look":
      return { kind: "look", figures: store.look() };
    case "close": {
      const closing = store;
      store = undefined;
      closing.close(question);
      return { kind: "done" };
    }
  }
}

answerRequests<StoreQuestion, StoreAnswer>((question) => {
  try {
    return answer(question);
  } catch (error) {
    throw storeError(error);
  }
});
