export { syncDirectory, withFileLock, writeFileAtomic, writeFileSynced } from "../nodes/host/files.ts";
