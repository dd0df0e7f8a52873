/** The thread that makes reports: a PDF or a workbook takes too long for Node-RED's event loop. */
import { answerRequests } from "../host/answer-requests.ts";
import { GIVES_WAY, giveWay } from "../host/give-way.ts";
import { lotPdf } from "./lot-pdf.ts";
import { lotXlsx } from "./lot-xlsx.ts";
import type { ReportQuestion } from "./report-thread.ts";

giveWay(GIVES_WAY.analysis);
answerRequests(
  (question: ReportQuestion): Promise<Uint8Array> =>
    question.kind === "pdf" ? lotPdf(question.report) : lotXlsx(question.report, question.table),
);
