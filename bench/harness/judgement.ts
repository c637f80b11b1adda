/** What a ratio is to be; `exactly` is for ratios of counts. */
export type Goal = { readonly kind: "at most" | "at least" | "exactly"; readonly value: number };

export type Verdict = "reached" | "not reached" | "not measured";

/** NaN is what is not measured: a contender was left out. A ratio is judged as measured, not as it is rounded for print. */
export function judge(ratio: number, goal: Goal): Verdict {
  if (Number.isNaN(ratio)) return "not measured";
  return isReached(ratio, goal) ? "reached" : "not reached";
}

function isReached(ratio: number, { kind, value }: Goal): boolean {
  switch (kind) {
    case "at most":
      return ratio <= value;
    case "at least":
      return ratio >= value;
    case "exactly":
      return ratio === value;
  }
}

export function describeGoal({ kind, value }: Goal): string {
  return `${{ "at most": "≤", "at least": "≥", exactly: "=" }[kind]} ${value}`;
}
