/**
 * Runs in each worker before a test file. A worker whose vitest is gone has nobody to report to, yet what a test holds
 * open (a server, a connection) would keep it alive for ever. A signal, because vitest makes `process.exit` throw.
 */
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
