/** What room sockets and badge sockets share: a connection, and its frames sorted by kind. */
import { type Audience, Connection, type Target } from "./connection.ts";
import { type Dialect, KIND, type Opening } from "./dialect.ts";
import type { Faults } from "./faults.ts";
import type { Meter } from "./meter.ts";

/** What all sockets of a run share. */
export interface Surroundings {
  readonly dialect: Dialect;
  readonly meter: Meter;
  readonly faults: Faults;
}

export abstract class ClientSocket implements Audience {
  /** In faults. */
  readonly name: string;
  protected readonly surroundings: Surroundings;
  #connection: Connection | null = null;

  constructor(name: string, surroundings: Surroundings) {
    this.name = name;
    this.surroundings = surroundings;
  }

  open(target: Target, opening: Opening): Promise<void> {
    return Connection.open(target, opening, this);
  }

  opened(connection: Connection): void {
    this.#connection = connection;
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  /** As `Connection.cut`. */
  cut(): void {
    this.#connection?.cut();
  }

  protected get connection(): Connection {
    if (this.#connection === null) throw new Error(`${this.name} is not open`);
    return this.#connection;
  }

  protected abstract message(bytes: Buffer, start: number, end: number): void;
  protected abstract badge(bytes: Buffer, start: number, end: number): void;

  text(bytes: Buffer, start: number, end: number): void {
    const { dialect } = this.surroundings;
    switch (dialect.kindOf(bytes, start, end)) {
      case KIND.message:
        this.message(bytes, start, end);
        return;
      case KIND.badge:
        this.badge(bytes, start, end);
        return;
      case KIND.keepAlive:
        this.connection.sendText(dialect.signOfLife);
        return;
      case KIND.refusal:
        this.fault(`was sent ${bytes.toString("utf8", start, Math.min(end, start + 300))}`);
        return;
      case KIND.other:
    }
  }

  lost(reason: string): void {
    this.fault(reason);
  }

  protected fault(what: string): void {
    this.surroundings.faults.add(`${this.name}: ${what}`);
  }
}
