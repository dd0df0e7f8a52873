import { type MessagePort, parentPort, type Transferable } from "node:worker_threads";
import { messageOf } from "./errors.ts";

/** What a `WorkerThread` is told, one at a time. */
export interface Request<Question> {
  question: Question;
}

/** What it reports; a notice answers nothing. */
export type Reply<Answer, Notice = never> =
  | { kind: "answer"; answer: Answer }
  | { kind: "notice"; notice: Notice }
  | { kind: "error"; code: string | undefined; message: string };

/** In a worker thread: answers each request of the `WorkerThread` that started it; what `answer` throws goes back to the asker. */
export function answerRequests<Question, Answer>(answer: (question: Question) => Answer | Promise<Answer>): void {
  const port = portOfThread();
  const report = (reply: Reply<Answer>) => port.postMessage(reply);
  port.on("message", async ({ question }: Request<Question>) => {
    try {
      report({ kind: "answer", answer: await answer(question) });
    } catch (error) {
      const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
      report({ kind: "error", code, message: messageOf(error) });
    }
  });
}

/** In a worker thread: tells the `WorkerThread` that started it something unasked, in order with the answers. */
export function notify<Notice>(notice: Notice, transfer: Transferable[] = []): void {
  const reply: Reply<never, Notice> = { kind: "notice", notice };
  portOfThread().postMessage(reply, transfer);
}

function portOfThread(): MessagePort {
  if (!parentPort) throw new Error("requests are answered in a worker thread");
  return parentPort;
}
