/** Lists as one parameter, however long: PostgreSQL takes 65,535 parameters in a statement, and each costs time to bind. */
import { type SQL, type SQLWrapper, sql } from "drizzle-orm";

/** As PostgreSQL writes arrays of text. */
export function textArray(values: readonly string[]): string {
  return `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

/** In place of drizzle's `inArray`, which makes a parameter of each value. */
export function isAnyOf(column: SQLWrapper, values: readonly string[]): SQL {
  return sql`${column} = any(${textArray(values)}::text[])`;
}
