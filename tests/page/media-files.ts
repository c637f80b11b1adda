/** The files that messages link to in tests, on a server of another origin, as links are. */
import { createServer } from "node:http";

export interface MediaFiles {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  close(): Promise<void>;
}

const files = new Map([
  ["/picture.png", { type: "image/png", bytes: base64Bytes(onePixel()) }],
  ["/film.webm", { type: "video/webm", bytes: base64Bytes(film()) }],
  ["/sound.wav", { type: "audio/wav", bytes: silence() }],
]);

export async function serveMediaFiles(): Promise<MediaFiles> {
  const server = createServer(({ url = "" }, answer) => {
    // What stands behind the question mark tells a test which picture was asked for.
    const file = files.get(url.replace(/\?.*/, ""));
    if (file === undefined) answer.writeHead(404).end();
    else answer.writeHead(200, { "content-type": file.type, "content-length": file.bytes.length }).end(file.bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function base64Bytes(text: string): Buffer {
  return Buffer.from(text, "base64");
}

/** PNG, transparent. */
function onePixel(): string {
  return "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
}

/** WebM, 16 × 16 pixels, two pictures: recorded from a canvas with MediaRecorder. */
function film(): string {
  return [
    "GkXfo59ChoEBQveBAULygQRC84EIQoKEd2VibUKHgQRChYECGFOAZwEAAAAAAAGpEU2bdLlNu4tTq4QVSalmU6yBbk27i1OrhBZUrmtTrIGT",
    "TbuLU6uEH0O2dVOsgdRNu4xTq4QcU7trU6yCAZfsrgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAVSalm",
    "oCrXsYMPQkBEiYRC6qTdTYCGQ2hyb21lV0GGQ2hyb21lFlSua7yuuteBAXPFh3zjGBxW6JiDgQFV7oEBhoVWX1ZQOOCdsIEQuoEQU8CBAVWw",
    "kFWxgQFVuYECVbqBDVW7gQEfQ7Z1AQAAAAAAALfngQCg5qG8gQAAALACAJ0BKhAAEAAAxwiFhYiZhIgFAgJ1qgP4Agz9xAD+9hNf/u837eb9",
    "vN/w0f/gzvwZ34M7/wQQdaGlpqPugQGlnhACAJ0BKhAAEAAEhwiFhYiZhIgYAgAMDWAA/valAKDKoaqBAHUAsQEAAxBAABgAMD/0DADCAP7w",
    "1wP/PzO7cX9Vv/taH1aH1aH8kgB1oZimlu6BAaWRsQEAEhDwABgAGFgv9AAIAAD7gQAcU7trjbuLs4EAt4b3gQHxgdQ=",
  ].join("");
}

/** WAV (RIFF, PCM), a tenth of a second, 8 kHz, mono, 8 bits. */
function silence(): Buffer {
  const rate = 8_000;
  const samples = Buffer.alloc(rate / 10, 128);
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.length, 40);
  return Buffer.concat([header, samples]);
}
