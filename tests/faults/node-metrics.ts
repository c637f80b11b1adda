import { get } from "node:http";

/** What a node says of itself at `/metrics`: a number for each name with its labels, as they are written there. */
export type Metrics = ReadonlyMap<string, number>;

/** On a connection of its own, which it sees too. */
export async function readMetrics(url: string): Promise<Metrics> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get(new URL("/metrics", url), { agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body)).on("error", reject);
    });
    request.on("error", reject);
  });
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}
