/** Where the server is: in the folder that the page is in, so that both can stand behind a path of a proxy's. */
export const serverUrl = new URL(".", document.baseURI).href;

/** Whether it is asked anyway: what is there tells nobody else anything. */
export function isOwnOrigin(url: string): boolean {
  return URL.canParse(url, document.baseURI) && new URL(url, document.baseURI).origin === location.origin;
}
