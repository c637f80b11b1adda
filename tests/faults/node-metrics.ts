import { get } from "node:http";
import { setTimeout } from "node:timers/promises";

/** Milliseconds between two askings. */
const INTERVAL = 100;

/** What a node says of itself at `/metrics`: a number for each name with its labels, as they are written there. */
export type Metrics = ReadonlyMap<string, number>;

/** On a connection of its own, which it sees too. */
export async function readMetrics(url: string): Promise<Metrics> {
  // A node makes an answer a second and gives it to all who ask in that time: this one is made after it was asked for.
  const earlier = await askForMetrics(url);
  let text = await askForMetrics(url);
  while (text === earlier) {
    await setTimeout(INTERVAL);
    text = await askForMetrics(url);
  }
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

function askForMetrics(url: string): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    const request = get(new URL("/metrics", url), { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body)).on("error", reject);
    });
    request.on("error", reject);
  });
}
