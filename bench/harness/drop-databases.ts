/** Run when the benchmark is interrupted: drops what it left behind in the user's own PostgreSQL. */
import "../../tests/support/drop-databases.ts";
