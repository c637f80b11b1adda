/** A frame that the dialect could make nothing of. */
export class BadFrame extends Error {
  override readonly name = "BadFrame";
  readonly code: "invalid_json" | "invalid_frame" | "unknown_type";

  constructor(code: BadFrame["code"], message: string) {
    super(message);
    this.code = code;
  }
}
