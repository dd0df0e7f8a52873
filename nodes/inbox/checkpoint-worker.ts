import { DatabaseSync } from "node:sqlite";
import { answerRequests } from "../host/answer-requests.ts";

/** Asked to move the journal of a database to the database itself, beside commits that go on. */
export interface CheckpointRequest {
  file: string;
}

/** Pages in the journal, and how many of them the database has now. */
export interface CheckpointResult {
  pages: number;
  moved: number;
}

answerRequests<CheckpointRequest, CheckpointResult>(({ file }) => {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA busy_timeout = 0");
    const row = database.prepare("PRAGMA wal_checkpoint(PASSIVE)").get();
    return { pages: Number(row?.log ?? 0), moved: Number(row?.checkpointed ?? 0) };
  } finally {
    database.close();
  }
});
