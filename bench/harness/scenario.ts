/** What is compared: a scenario has contenders, which are run in turn, figures of each, and ratios between them. */
import type { Pinning } from "./cores.ts";
import type { Goal } from "./judgement.ts";
import type { ServiceName, Services } from "./services.ts";

/** How long and how much. */
export interface Scale {
  readonly repetitions: number;
  /** Milliseconds of traffic before measuring. */
  readonly warmUp: number;
  /** Milliseconds of traffic that are measured. */
  readonly measure: number;
  /** Sockets of the memory scenario. */
  readonly idleSockets: number;
  /** Messages that the user with much unread has not read. */
  readonly unread: number;
}

/** What a contender is run with. */
export interface Ground {
  readonly scale: Scale;
  readonly services: Services;
  readonly pinning: Pinning;
  /** For what servers keep in files. */
  readonly directory: string;
}

/** One run of a contender. */
export interface Run {
  /** By the key of the figure. */
  readonly figures: Readonly<Record<string, number>>;
  /** What was wrong; such a run's figures mean nothing. */
  readonly faults: readonly string[];
  /** Share of a core that the load generator took; null where there was none. */
  readonly loadBusy: number | null;
  /** Cores that other processes of the machine took while measuring; null where it was not looked at. */
  readonly strangersBusy: number | null;
  /** What the figures were made from, for the file of raw results. */
  readonly raw: unknown;
}

export interface Contender {
  readonly name: string;
  readonly needs: readonly ServiceName[];
  /** Everything that it starts has ended when this settles. */
  run(ground: Ground): Promise<Run>;
}

/** A column of the scenario's table. */
export interface Figure {
  readonly key: string;
  /** With its unit. */
  readonly title: string;
  /** After the decimal point. */
  readonly digits: number;
}

/** The median of a contender's figure over the repetitions; NaN when the contender was left out. */
export type Medians = (contender: string, figure: string) => number;

export interface Ratio {
  /** What is divided by what. */
  readonly title: string;
  readonly goal: Goal;
  of(medians: Medians): number;
}

export interface Scenario {
  readonly name: string;
  /** One line: what the contenders do. */
  readonly work: string;
  readonly contenders: readonly Contender[];
  readonly figures: readonly Figure[];
  readonly ratios: readonly Ratio[];
  /** Run only where `--only` names it: it takes long, or more of the machine than the others. Default: false. */
  readonly onlyByName?: boolean;
}
