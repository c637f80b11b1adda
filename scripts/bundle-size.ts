/** What a bundle costs whoever loads it. */
import { gzipSync } from "node:zlib";

/** In bytes. */
export interface BundleSize {
  readonly minified: number;
  readonly gzipped: number;
}

/** `bundle`: minified already. Compressed at gzip's usual level, as a server does it. */
export function sizeOf(bundle: Uint8Array): BundleSize {
  return { minified: bundle.byteLength, gzipped: gzipSync(bundle).byteLength };
}

/** A line such as `client library: 4.8 kB minified and gzipped (bound: 6 kB)`; a kB is 1,024 bytes. */
export function describeSize(name: string, size: BundleSize, bound: number | null): string {
  const allowed = bound === null ? "" : ` (bound: ${bound / 1024} kB)`;
  return `${name}: ${(size.gzipped / 1024).toFixed(1)} kB minified and gzipped${allowed}`;
}

/** @throws Error when the bundle has more than `bound` bytes, gzipped */
export function requireBound(name: string, { gzipped }: BundleSize, bound: number): void {
  if (gzipped > bound) throw new Error(`${name}: ${gzipped} bytes gzipped, ${gzipped - bound} more than its bound`);
}
