/**
 * The settings of a session that our statements rely on. A role or a database may have others (`alter role … set`), which
 * would change what a statement means or how long it may take, so each connection says these itself. By a statement and not
 * as it connects: a pooler such as pgbouncer refuses or drops what it does not know of a startup message.
 */

/** In the form of `set_config`; times in milliseconds. One that a version of PostgreSQL does not have is passed over. */
export const SESSION_SETTINGS = {
  // How values are written and read.
  client_encoding: "UTF8",
  DateStyle: "ISO, MDY",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  extra_float_digits: "1",
  bytea_output: "hex",
  standard_conforming_strings: "on",
  array_nulls: "on",
  transform_null_equals: "off",
  gin_fuzzy_search_limit: "0",
  row_security: "on",
  // What a transaction is. Whether it may write is not ours to say: such a database is reported.
  default_transaction_isolation: "read committed",
  default_transaction_deferrable: "off",
  exit_on_error: "off",
  // What is acknowledged is on the disk: it replaces "off", and leaves what was chosen for replicas as it is.
  synchronous_commit: "on",
  // How long things may take. The server gives a statement up sooner than the one who asked, so that nothing is stored that
  // nobody waits for any more; that bounds what waits for a lock too.
  statement_timeout: "12000",
  lock_timeout: "0",
  idle_in_transaction_session_timeout: "12000",
  idle_session_timeout: "0",
  transaction_timeout: "0",
} as const;

export type Settings = Readonly<Record<string, string>>;

/** Before all others, and in one step: with the role's own limit the statement that sets them may not get to its end. */
export const LIFT_LIMIT = "set statement_timeout to 0";

/** Sets all of `$1`, a JSON object, that this server knows. */
export const SET_SETTINGS = `select pg_catalog.set_config(known.name, wanted.value, false)
  from pg_catalog.json_each_text($1::json) as wanted(name, value)
  join pg_catalog.pg_settings known on pg_catalog.lower(known.name) = pg_catalog.lower(wanted.name)
  where known.name <> 'synchronous_commit' or known.setting = 'off'`;
