/** What a request wants its connection to be upgraded to, and the same request without the wish. */
import type { IncomingMessage } from "node:http";

/** Headers of the offer itself. HTTP/2's settings go with its offer (RFC 7540, 3.2.1). */
const OFFER: ReadonlySet<string> = new Set(["upgrade", "http2-settings"]);

/** Not from HTTP/1.0 (RFC 9110, 7.8), and not with a body, which would be taken for frames. */
export function offersWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
  return httpVersion === "1.1" && !hasBody && tokensOf(headers.upgrade ?? "").includes("websocket");
}

/** The request line and the headers, in bytes. What the hop's `Connection` says beside the offer stays. */
export function headWithoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = "", value = ""] = rawHeaders.slice(index, index + 2);
    const known = name.toLowerCase();
    if (OFFER.has(known)) continue;
    const kept =
      known === "connection"
        ? tokensOf(value)
            .filter((token) => !OFFER.has(token))
            .join(", ")
        : value;
    if (kept !== "" || known !== "connection") lines.push(`${name}: ${kept}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function tokensOf(header: string): string[] {
  return header.split(",").map((token) => token.trim().toLowerCase());
}
