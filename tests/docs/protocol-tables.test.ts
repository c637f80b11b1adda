/** The tables of the protocol document say what the code says. */
import { expect, test } from "vitest";
import { roomClientFrames, roomServerFrame } from "../../server/protocol/channels.ts";
import { closeCodes } from "../../server/protocol/close-codes.ts";
import { errorCatalogue } from "../../server/protocol/errors.ts";
import { settings } from "../../server/settings.ts";
import { readDocument, tableRows } from "./documents.ts";

const protocol = readDocument("docs/protocol.md");
const yesOrNo = (value: boolean) => (value ? "yes" : "no");

test("errors", () => {
  expect(tableRows(protocol, ["code", "HTTP status", "retry", "meaning"])).toEqual(
    Object.entries(errorCatalogue).map(([code, { status, retry, meaning }]) => [
      code,
      `${status}`,
      yesOrNo(retry),
      meaning,
    ]),
  );
});

test("close codes", () => {
  expect(tableRows(protocol, ["code", "reconnect", "reason"])).toEqual(
    Object.values(closeCodes).map(({ code, reconnect, reason }) => [`${code}`, yesOrNo(reconnect), reason]),
  );
});

test("defaults of the limits", () => {
  const defaults = settings.parse({});
  for (const [name = "", value] of tableRows(protocol, ["setting", "default", "unit"])) {
    expect(defaults).toHaveProperty(name, Number(value));
  }
});

test("frames of the room socket", () => {
  const rows = tableRows(protocol, ["direction", "`type`", "when", "refused with"]);
  const typesFrom = (direction: string) => rows.filter(([from]) => from === direction).map(([, type]) => type);
  const typesOf = (frames: readonly { shape: { type: { value: string } } }[]) =>
    frames.map((frame) => frame.shape.type.value);
  expect(typesFrom("client").toSorted()).toEqual(typesOf(roomClientFrames(1).options).toSorted());
  expect(typesFrom("server").toSorted()).toEqual(typesOf(roomServerFrame.options).toSorted());
  for (const [, , , refusals = ""] of rows) {
    for (const code of refusals.split(" ").filter((word) => word !== "")) expect(errorCatalogue).toHaveProperty(code);
  }
});
