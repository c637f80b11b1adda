/** What the global set-up found out, and hands to every test file. */
export type ProvidedBrowser =
  | {
      readonly status: "available";
      readonly executable: string;
      /** The built page, for this run alone. */
      readonly folder: string;
    }
  /** `reason` is for a person to read. */
  | { readonly status: "missing"; readonly reason: string }
  /** There is a browser, but nothing for it to show. */
  | { readonly status: "unbuilt"; readonly reason: string };

declare module "vitest" {
  interface ProvidedContext {
    browser: ProvidedBrowser;
  }
}
