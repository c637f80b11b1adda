import type { Service } from "./find-services.ts";

/** What the global set-up hands to every test file and to the reporter. */
export interface ProvidedServices {
  readonly postgres: Service;
  readonly redis: Service;
  /** What the names of this run's databases begin with. */
  readonly databasePrefix: string;
}

declare module "vitest" {
  interface ProvidedContext {
    services: ProvidedServices;
  }
}

/** Which are missing, and why, for a person to read. */
export function missingServices({ postgres, redis }: ProvidedServices): { name: string; reason: string }[] {
  return Object.entries({ PostgreSQL: postgres, Redis: redis }).flatMap(([name, service]) =>
    service.status === "missing" ? [{ name, reason: service.reason }] : [],
  );
}

export function reasonsOf(missing: readonly { name: string; reason: string }[]): string {
  return missing.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
}
